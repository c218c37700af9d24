import { nearest } from "../core/index.ts";
import type { Sourced } from "./fact.ts";

/** A kind of engine: what it reads, where it runs, how it is reached. */
export interface EngineKind extends Sourced {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly title: string;
  /** Model files it reads; none when it holds no model of the spec's kind. */
  readonly formats: readonly ("gguf" | "safetensors")[];
  readonly runtimes: readonly ("process" | "docker" | "kubernetes")[];
  /** Runs elsewhere and is only called. */
  readonly remote: boolean;
  readonly cpu: boolean;
  /** Port it listens on when nothing else is said. */
  readonly defaultPort?: number;
}

const EVERYWHERE = ["process", "docker", "kubernetes"] as const;

const kind = (
  name: string,
  title: string,
  source: string,
  rest: Partial<Omit<EngineKind, "name" | "title" | "source" | "date">> = {},
): EngineKind => ({
  name,
  title,
  aliases: [],
  formats: [],
  runtimes: EVERYWHERE,
  remote: false,
  cpu: false,
  source,
  date: "2026-11-01",
  ...rest,
});

export const ENGINE_KINDS: readonly EngineKind[] = [
  kind("embedded", "llama.cpp within Omni", "https://node-llama-cpp.withcat.ai", {
    aliases: ["node-llama-cpp"],
    formats: ["gguf"],
    runtimes: ["process"],
    cpu: true,
  }),
  kind("llama.cpp", "llama.cpp server", "https://github.com/ggml-org/llama.cpp/tree/master/tools/server", {
    aliases: ["llamacpp", "llama-cpp", "llama-server"],
    formats: ["gguf"],
    cpu: true,
    defaultPort: 9931,
  }),
  kind("vllm", "vLLM", "https://docs.vllm.ai", { formats: ["safetensors"], defaultPort: 8000 }),
  kind("sglang", "SGLang", "https://docs.sglang.ai", { formats: ["safetensors"], defaultPort: 30_000 }),
  kind("ktransformers", "KTransformers", "https://github.com/kvcache-ai/ktransformers", {
    aliases: ["kt", "k-transformers"],
    formats: ["safetensors", "gguf"],
    defaultPort: 30_000,
  }),
  kind(
    "triton-vllm",
    "NVIDIA Triton with the vLLM backend",
    "https://github.com/triton-inference-server/vllm_backend",
    { aliases: ["triton"], formats: ["safetensors"], runtimes: ["docker", "kubernetes"], defaultPort: 8000 },
  ),
  kind("tensorrt-llm", "TensorRT-LLM", "https://nvidia.github.io/TensorRT-LLM", {
    aliases: ["trtllm", "trt-llm"],
    formats: ["safetensors"],
    runtimes: ["docker", "kubernetes"],
    defaultPort: 8000,
  }),
  kind("comfyui", "ComfyUI", "https://docs.comfy.org", { aliases: ["comfy"], cpu: true, defaultPort: 8188 }),
  kind("openai", "A remote API that speaks OpenAI", "https://platform.openai.com/docs/api-reference", {
    aliases: ["openai-compatible"],
    remote: true,
  }),
  kind("anthropic", "A remote API that speaks Anthropic", "https://docs.anthropic.com/en/api", {
    remote: true,
  }),
];

const BY_NAME: ReadonlyMap<string, EngineKind> = new Map(
  ENGINE_KINDS.flatMap((engine) => [engine.name, ...engine.aliases].map((name) => [name, engine] as const)),
);

/** The kind of engine of that name or alias, whatever its case. */
export const findEngineKind = (name: string): EngineKind | undefined => BY_NAME.get(name.toLowerCase());

/** The kind of an engine as a spec describes it: one with an address runs elsewhere, whatever its kind. */
export function engineKindOf(engine: {
  readonly kind: string;
  readonly url?: string | undefined;
}): EngineKind | undefined {
  const known = findEngineKind(engine.kind);
  return known === undefined || engine.url === undefined ? known : { ...known, remote: true };
}

/** The known kind whose name is nearest to what was typed. */
export function nearestEngineKind(name: string): string | undefined {
  const near = nearest(name, BY_NAME.keys());
  return near === undefined ? undefined : findEngineKind(near)?.name;
}
