import { parseCudaArchitecture } from "../../core/index.ts";
import type { Deployment, ImageBuild } from "../../deployment/index.ts";
import { dockerfileImage, execForm } from "../escape/dockerfile.ts";
import { architectureLists } from "./architecture-lists.ts";
import { dockerfile, section } from "./instructions.ts";

/** One look into the finished image: these libraries, each with all of this code. */
export interface ArchitectureCheck {
  /** Globs of libraries; one that matches none fails. */
  readonly only: readonly string[];
  /** `sm_120` for code that the image was compiled with, `12.0` for libraries that came compiled. */
  readonly required: readonly string[];
}

/** Libraries that an engine compiles, and those that it takes from elsewhere and cannot run without. */
interface EngineLibraries {
  readonly compiled?: readonly string[];
  readonly taken?: (card: string) => readonly string[];
}

const TORCH = "**/libtorch_cuda.so";
/** sgl-kernel ships one library for Hopper and one for everything else. */
const sglKernel = (card: string): readonly string[] => [
  TORCH,
  card.startsWith("9.") ? "**/sgl_kernel/sm90/*.so" : "**/sgl_kernel/sm100/*.so",
];

const LIBRARIES: Readonly<Record<string, EngineLibraries>> = {
  "llama.cpp": { compiled: ["**/libggml-cuda.so"] },
  // kt-kernel's own library holds code for processors alone: its cards compute with PyTorch and sgl-kernel.
  ktransformers: { taken: sglKernel },
  sglang: { taken: sglKernel },
  comfyui: { taken: () => [TORCH] },
  vllm: { compiled: ["**/vllm/_C*.so", "**/vllm/_moe_C*.so"], taken: () => [TORCH] },
};

/** What the finished image is checked for; nothing for an engine of processors alone. */
export function architectureChecks(build: ImageBuild): readonly ArchitectureCheck[] {
  const { required } = architectureLists(build.cudaArchitectures);
  if (required.length === 0) return [];
  const { compiled, taken } = LIBRARIES[build.kind] ?? { compiled: [] };
  const byLibrary = new Map<string, Set<string>>();
  for (const card of cardsOf(build))
    for (const glob of taken?.(card) ?? []) byLibrary.set(glob, (byLibrary.get(glob) ?? new Set()).add(card));
  return [
    ...(compiled === undefined ? [] : [{ only: compiled, required }]),
    ...[...byLibrary].map(([glob, cards]) => ({ only: [glob], required: [...cards] })),
  ];
}

/** Globs of the libraries that an engine cannot compute on a card without; none for a kind of which nothing is known. */
export function checkedLibraries(kind: string, cards: readonly string[]): readonly string[] {
  const { compiled = [], taken } = LIBRARIES[kind] ?? {};
  return [...new Set([...compiled, ...cards.flatMap((card) => taken?.(card) ?? [])])];
}

/** Compute capabilities of a list, each once. */
const cardsOf = (build: ImageBuild): readonly string[] => [
  ...new Set(
    build.cudaArchitectures.flatMap((text) =>
      (parseCudaArchitecture(text) ?? []).map(({ major, minor }) => `${major}.${minor}`),
    ),
  ),
];

/** Omni's image: the one built here, else the one that the gateway runs. */
export const readerImage = (deployment: Deployment): string =>
  deployment.images.find(({ kind }) => kind === "omni")?.tag ?? deployment.gateway.image;

/** Goes before the first FROM: the image whose program reads the binaries. */
export const readerArgument = (reader: string): string =>
  section(
    "Omni's own image reads the finished binaries: no NVIDIA tool and no card is needed for it.",
    `ARG OMNI_IMAGE=${dockerfileImage(reader, "gateway.image")}`,
  );

const inspections = (stage: string, checks: readonly ArchitectureCheck[]): readonly string[] =>
  checks.map(({ only, required }) => {
    const command = [
      "./omni",
      "engines",
      "inspect",
      "/built",
      ...only.flatMap((glob) => ["--only", glob]),
      ...required.flatMap((architecture) => ["--require", architecture]),
    ];
    return `RUN --mount=type=bind,from=${stage},target=/built ${execForm(command)}`;
  });

const WHY =
  'without it the image would fail at its first kernel, with "no kernel image is available for execution on the device". Root, because folders of the image are root\'s.';

/** The stage `verify`: it fails, and the build with it, when the stage named lacks a required architecture. */
export const verifyStage = (stage: string, checks: readonly ArchitectureCheck[]): string =>
  section(
    `The build fails here when a library lacks the code of a wanted card: ${WHY}`,
    "FROM ${OMNI_IMAGE} AS verify",
    "USER 0",
    ...inspections(stage, checks),
    'RUN ["touch", "/verified"]',
  );

/** Ties the last stage to `verify`: builders leave out stages that nothing comes from. */
export const copyVerified = 'COPY --from=verify ["/verified", "/etc/omni-verified"]';

/** Programs that tell their version without a card: the check of images that carry no CUDA code. */
const STARTS: Readonly<Record<string, readonly string[]>> = {
  omni: ["./omni", "--version"],
  "llama.cpp": ["llama-server", "--version"],
};

/**
 * A Dockerfile that checks a finished image, whoever wrote the recipe that it came from; nothing for kinds that carry no
 * CUDA code and cannot start without a card either.
 */
export function verificationDockerfile(build: ImageBuild, reader: string): string | undefined {
  const checks = architectureChecks(build);
  const starts = STARTS[build.kind];
  if (checks.length === 0 && starts === undefined) return undefined;
  const header = section(
    `Checks the finished image of ${build.name}; rendered by Omni from omni.yaml (${build.path}). build.sh builds this after the image and before the tag, with IMAGE set to what was built. Nothing of it is kept.`,
  );
  if (checks.length === 0)
    return dockerfile([
      header,
      section(
        "Its program has to start.",
        "ARG IMAGE=scratch",
        "FROM ${IMAGE}",
        `RUN ${execForm(starts ?? [])}`,
      ),
    ]);
  return dockerfile([
    header,
    readerArgument(reader),
    section("The finished image; build.sh always names it.", "ARG IMAGE=scratch", "FROM ${IMAGE} AS built"),
    section(
      `Fails when a library lacks the code of a wanted card, or when there is none: ${WHY}`,
      "FROM ${OMNI_IMAGE}",
      "USER 0",
      ...inspections("built", checks),
    ),
  ]);
}
