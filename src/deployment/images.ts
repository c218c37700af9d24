import { findEngineKind, findGpu } from "../catalog/index.ts";
import type { Engine, Spec } from "../spec/spec.ts";
import type { DeployedCard, ImageBuild } from "./deployment.ts";

/** How an engine's image is had: pulled as it is, or built first. */
export interface EngineImage {
  /** Absent where nobody publishes one and none is described. */
  readonly image?: string;
  readonly build?: ImageBuild;
}

/** Kinds that Omni has a recipe for, because nobody publishes an image or none that suits every card. */
const BUILT = new Set(["llama.cpp", "ktransformers", "comfyui"]);

/** The image that a project publishes for a version; nothing where the version is not said, because `latest` is no version. */
function published(kind: string, version: string | undefined, onCards: boolean): string | undefined {
  if (version === undefined) return undefined;
  switch (kind) {
    case "vllm":
      return `vllm/vllm-openai:v${version}`;
    case "sglang":
      return `lmsysorg/sglang:v${version}`;
    case "triton-vllm":
      return `nvcr.io/nvidia/tritonserver:${version}-vllm-python-py3`;
    case "tensorrt-llm":
      return `nvcr.io/nvidia/tensorrt-llm/release:${version}`;
    case "llama.cpp":
      return /^b\d+$/.test(version)
        ? `ghcr.io/ggml-org/llama.cpp:server${onCards ? "-cuda" : ""}-${version}`
        : undefined;
    default:
      return undefined;
  }
}

/** The image of an engine for the cards that its services run on, and how it is built where it has to be. */
export function engineImage(spec: Spec, name: string, cards: readonly DeployedCard[]): EngineImage {
  const engine = spec.engines[name];
  const kind = findEngineKind(engine?.kind ?? name)?.name;
  if (kind === undefined) return {};
  const pulled =
    engine?.build === undefined
      ? (engine?.image ?? published(kind, engine?.version, cards.length > 0))
      : undefined;
  if (pulled !== undefined) return { image: pulled };
  if (engine?.build === undefined && !BUILT.has(kind)) return {};
  const build = buildOf(spec, name, kind, engine, cards);
  return { image: engine?.image ?? build.tag, build };
}

function buildOf(
  spec: Spec,
  name: string,
  kind: string,
  engine: Engine | undefined,
  cards: readonly DeployedCard[],
): ImageBuild {
  const build = engine?.build;
  const architectures = build?.cudaArchitectures ?? engine?.architectures ?? capabilities(cards);
  const push = registryOf(spec, build?.push);
  const tag = build?.tag ?? defaultTag(kind, engine?.version ?? build?.commit, architectures);
  return {
    name,
    kind,
    ...(engine?.version === undefined ? {} : { version: engine.version }),
    tag: push === undefined || tag.startsWith(`${push.address}/`) ? tag : `${push.address}/${tag}`,
    cudaArchitectures: architectures,
    ...(build?.dockerfile === undefined ? {} : { dockerfile: build.dockerfile }),
    ...(build?.context === undefined ? {} : { context: build.context }),
    ...(build?.base === undefined ? {} : { base: build.base }),
    ...(build?.repository === undefined ? {} : { repository: build.repository }),
    ...(build?.commit === undefined ? {} : { commit: build.commit }),
    flags: build?.flags ?? {},
    environment: textsOnly(build?.environment ?? {}),
    packages: build?.packages ?? [],
    network: build?.network ?? "default",
    ...(push === undefined ? {} : { push }),
    builder: build?.builder ?? "docker",
    ...(build?.host === undefined ? {} : { host: build.host }),
    path: `engines.${name}${build === undefined ? "" : ".build"}`,
  };
}

/** Capabilities of cards, each once, lowest first. */
const capabilities = (cards: readonly DeployedCard[]): readonly string[] =>
  [
    ...new Set(
      cards.flatMap((card) => card.computeCapability ?? findGpu(card.model)?.computeCapability ?? []),
    ),
  ].toSorted((a, b) => Number(a) - Number(b));

/** Omni's own name for an image: kind, version and what it is compiled for. */
function defaultTag(kind: string, version: string | undefined, architectures: readonly string[]): string {
  const compiled =
    architectures.length === 0
      ? "cpu"
      : architectures.map((one) => `sm${one.replaceAll(/[^0-9a-z]/gi, "").toLowerCase()}`).join("-");
  const parts = [version?.replaceAll(/[^\w.-]/g, "-"), compiled].filter((part) => part !== undefined);
  return `omni/${kind.replaceAll(".", "-")}:${parts.join("-")}`;
}

/** The registry that an image is pushed to: the one named, the only one there is, or none. */
export function registryOf(spec: Spec, wanted: string | false | undefined): ImageBuild["push"] {
  if (wanted === false) return undefined;
  const registries = Object.values(spec.guests).flatMap((guest) => Object.entries(guest.registries ?? {}));
  const own = registries.filter(([, registry]) => (registry.mirrorOf ?? []).length === 0);
  const found =
    wanted === undefined
      ? own.length === 1
        ? own[0]
        : undefined
      : registries.find(([name]) => name === wanted);
  if (found === undefined) return undefined;
  const [registry, { address, insecure = false }] = found;
  return { registry, address, insecure };
}

/** Numbers and truth values as the texts that an environment holds; references to secrets stay. */
export const textsOnly = (
  environment: Readonly<
    Record<
      string,
      string | number | boolean | { readonly env?: string | undefined; readonly file?: string | undefined }
    >
  >,
): ImageBuild["environment"] =>
  Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      typeof value === "object"
        ? value.env === undefined
          ? { file: value.file ?? "" }
          : { env: value.env }
        : String(value),
    ]),
  );
