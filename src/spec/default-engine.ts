import type { ParsedSpec } from "./schema.ts";

type Model = NonNullable<ParsedSpec["models"]>[string];
type RuntimeKind = NonNullable<ParsedSpec["runtime"]>["kind"];

/** The format of a model as far as its names tell: a GGUF quantization or file name, else safetensors. */
function formatOf(model: Model): "gguf" | "safetensors" {
  if (model.format !== undefined) return model.format;
  const { file, hub, path, files, builtin, quantization } = model.source;
  if (builtin !== undefined) return "gguf";
  const names = [file, hub, path, ...(files ?? [])].filter((name) => name !== undefined);
  const typed = model.quantization ?? quantization ?? "";
  return names.some((name) => /gguf/i.test(name)) || /^(?:UD-|i1-)?(?:I?Q\d|TQ\d)/i.test(typed)
    ? "gguf"
    : "safetensors";
}

/** The engine of a service that names none: Omni's own for GGUF on this machine, llama.cpp elsewhere, vLLM for safetensors. */
export function defaultEngine(model: Model | undefined, runtime: RuntimeKind): string {
  if (model?.source.remote !== undefined) return "openai";
  if (model !== undefined && formatOf(model) === "safetensors") return "vllm";
  return runtime === "process" ? "embedded" : "llama.cpp";
}
