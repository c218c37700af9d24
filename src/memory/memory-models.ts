import { OmniError } from "../core/index.ts";
import { comfyui } from "./comfyui.ts";
import { embedded } from "./embedded.ts";
import { ktransformers } from "./ktransformers.ts";
import type { MemoryModel } from "./memory-model.ts";
import { llamaCpp } from "./llama-cpp.ts";
import { remote } from "./remote.ts";
import { sglang } from "./sglang.ts";
import { tensorrtLlm } from "./tensorrt-llm.ts";
import { tritonVllm } from "./triton-vllm.ts";
import { vllm } from "./vllm.ts";

/** Memory models by the names of the catalog's kinds of engines. */
const MODELS: ReadonlyMap<string, MemoryModel> = new Map([
  ["embedded", embedded],
  ["llama.cpp", llamaCpp],
  ["vllm", vllm],
  ["sglang", sglang],
  ["ktransformers", ktransformers],
  ["triton-vllm", tritonVllm],
  ["tensorrt-llm", tensorrtLlm],
  ["comfyui", comfyui],
  ["openai", remote],
  ["anthropic", remote],
]);

/** The memory model of a kind of engine by its name in the catalog. @throws OmniError spec.unknown-engine */
export function memoryModelOf(kind: string): MemoryModel {
  const model = MODELS.get(kind);
  if (model !== undefined) return model;
  throw new OmniError("spec.unknown-engine", `no memory model is known for engine kind ${kind}`, {
    hint: `Known kinds: ${[...MODELS.keys()].join(", ")}.`,
  });
}
