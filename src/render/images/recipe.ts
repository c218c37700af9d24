import { CUDA_BASES, cudaBaseFor, INERT_BUILD_SETTINGS } from "../../catalog/index.ts";
import type { CudaBase } from "../../catalog/index.ts";
import type { Diagnostic } from "../../core/index.ts";
import type { Deployment, ImageBuild } from "../../deployment/index.ts";
import { dockerfileImage, dockerfileValue } from "../escape/dockerfile.ts";
import { architectureLists } from "./architecture-lists.ts";
import type { ArchitectureLists } from "./architecture-lists.ts";
import { engineSource } from "./engine-source.ts";
import type { CheckedOut } from "./engine-source.ts";
import { buildVariables, section } from "./instructions.ts";
import type { BuildVariables } from "./instructions.ts";
import { architectureChecks, readerImage } from "./verification.ts";
import type { ArchitectureCheck } from "./verification.ts";

/** All that a recipe is written from, decided once. */
export interface RecipeInput {
  readonly deployment: Deployment;
  readonly build: ImageBuild;
  readonly source: CheckedOut;
  readonly lists: ArchitectureLists;
  readonly checks: readonly ArchitectureCheck[];
  readonly cuda: CudaBase;
  readonly variables: BuildVariables;
  readonly reader: string;
  /** Ports that services with this image listen on. */
  readonly ports: readonly number[];
}

/** A Dockerfile as text, and what its owner should know. */
export interface Recipe {
  readonly text: string;
  readonly diagnostics: readonly Diagnostic[];
}

export interface PreparedRecipe {
  readonly input?: RecipeInput;
  readonly diagnostics: readonly Diagnostic[];
}

/** Looks at everything that a recipe stands on; without input where there is nothing to write one from. */
export function prepareRecipe(deployment: Deployment, build: ImageBuild): PreparedRecipe {
  const lists = architectureLists(build.cudaArchitectures);
  const chosen = cudaBaseFor(build.cudaArchitectures.filter((one) => !lists.unknown.includes(one)));
  const cuda = "version" in chosen ? chosen : CUDA_BASES.at(-1);
  const source = engineSource(build);
  const diagnostics = [
    ...(source?.diagnostics ?? []),
    ...unknownArchitectures(build, lists),
    ...("version" in chosen || build.base !== undefined || build.cudaArchitectures.length === 0
      ? []
      : [noBase(build, chosen.reason)]),
    ...unpinnedBase(build),
    ...inertSettings(build),
  ];
  if (source === undefined || cuda === undefined) return { diagnostics };
  return {
    diagnostics,
    input: {
      deployment,
      build,
      source,
      lists,
      checks: architectureChecks(build),
      cuda,
      variables: buildVariables(build),
      reader: readerImage(deployment),
      ports: portsOf(deployment, build),
    },
  };
}

const unknownArchitectures = (build: ImageBuild, { unknown }: ArchitectureLists): readonly Diagnostic[] =>
  unknown.map((text) => ({
    code: "render.not-applicable",
    severity: "warning",
    path: `${build.path}.cudaArchitectures`,
    message: `${JSON.stringify(text)} is no architecture that the image ${build.tag} could be checked for; it is left out.`,
    hint: "Write 12.0, 9.0a or 12.0+PTX: an image is built on another machine than it runs on.",
  }));

const noBase = (build: ImageBuild, reason: string): Diagnostic => ({
  code: "render.needs-value",
  severity: "error",
  path: `${build.path}.base`,
  message: `No pinned CUDA image serves ${build.tag}: ${reason}.`,
  hint: `Name one with its digest under ${build.path}.base.`,
});

const unpinnedBase = (build: ImageBuild): readonly Diagnostic[] =>
  build.base === undefined || build.base.includes("@sha256:")
    ? []
    : [
        {
          code: "render.unpinned",
          severity: "warning",
          path: `${build.path}.base`,
          message: `The base ${build.base} of ${build.tag} is a tag, which can be pushed again with other contents.`,
          hint: `Add its digest: docker buildx imagetools inspect ${build.base} prints it.`,
        },
      ];

/** Settings that do nothing, of the flags and of the environment. */
const inertSettingsOf = (build: ImageBuild): typeof INERT_BUILD_SETTINGS =>
  INERT_BUILD_SETTINGS.filter(
    ({ kind, name }) => kind === build.kind && (name in build.flags || name in build.environment),
  );

const inertSettings = (build: ImageBuild): readonly Diagnostic[] =>
  inertSettingsOf(build).map(({ name, note, source }) => ({
    code: "render.not-applicable",
    severity: "warning",
    path: `${build.path}.${name in build.flags ? "flags" : "environment"}.${name}`,
    message: `${name} ${note}; it is passed on as written.`,
    hint: "Remove it.",
    source,
  }));

const portsOf = (deployment: Deployment, build: ImageBuild): readonly number[] =>
  [
    ...new Set(
      deployment.services
        .filter(({ image, planned }) => image === build.tag || planned.engine.name === build.name)
        .map(({ port }) => port),
    ),
  ].toSorted((a, b) => a - b);

/** First lines of a recipe: what it is, who asked for it, what in it is not what it seems. */
export const recipeHeader = ({ build, source }: RecipeInput): string =>
  section(
    [
      `Image of engine ${build.name} (${build.kind}), rendered by Omni from omni.yaml (${build.path}); built, checked and pushed by ../build.sh.`,
      source.pinned
        ? `Source: ${source.repository} at ${source.ref}${source.tag === undefined ? "" : ` (${source.tag})`}.`
        : `Source: ${source.repository} at ${source.ref}, which is not pinned: the same file can give another image tomorrow.`,
      ...(build.dockerfile === undefined
        ? []
        : [
            `Equivalent of ${build.dockerfile}, which is the owner's and not known to Omni: README.md says when build.sh takes which.`,
          ]),
      ...inertSettingsOf(build).map(({ name, note }) => `${name} ${note}.`),
    ].join("\n"),
  );

/** LABEL of what is inside, for whoever finds the image later. */
export const sourceLabels = ({ build, source }: RecipeInput): string =>
  [
    `LABEL org.opencontainers.image.title=${dockerfileValue(build.name, `The name of ${build.path}`)}`,
    `    org.opencontainers.image.source=${dockerfileValue(source.repository, `${build.path}.repository`)}`,
    `    org.opencontainers.image.revision=${dockerfileValue(source.ref, `${build.path}.commit`)}`,
  ].join(" \\\n");

export const fromImage = (image: string, place: string, stage?: string): string =>
  `FROM ${dockerfileImage(image, place)}${stage === undefined ? "" : ` AS ${stage}`}`;

/**
 * Where the dynamic linker looks first: where the container runtime mounts the driver. NVIDIA's images carry a
 * libcuda.so of their own under /usr/local/cuda/compat, which a newer driver's kernel module refuses.
 */
export function libraryPath(further: readonly string[], lists: ArchitectureLists): string {
  const arm = lists.required.some((one) => /^sm_1(?:10|21)/.test(one));
  return section(
    "The driver's libraries come first: the compat library of CUDA images hid the host's libcuda.so from Blackwell cards.",
    `ENV LD_LIBRARY_PATH=${dockerfileValue(
      [
        "/usr/lib/x86_64-linux-gnu",
        ...(arm ? ["/usr/lib/aarch64-linux-gnu"] : []),
        "/usr/local/nvidia/lib64",
        "/usr/local/nvidia/lib",
        ...further,
        "/usr/local/cuda/lib64",
      ].join(":"),
      "LD_LIBRARY_PATH",
    )}`,
  );
}

export const exposed = (ports: readonly number[], otherwise: number): string =>
  `EXPOSE ${(ports.length === 0 ? [otherwise] : ports).join(" ")}`;

/** A user without rights: engines listen on high ports and read their weights, they need no more. */
export const USER_COMMAND = "useradd --system --uid 10001 --create-home --shell /usr/sbin/nologin omni";
