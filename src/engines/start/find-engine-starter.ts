import type { EngineStarter } from "../start.ts";
import { comfyuiStarter } from "./comfyui.ts";
import { ktransformersStarter } from "./ktransformers.ts";
import { llamaCppStarter } from "./llama-cpp.ts";
import { sglangStarter } from "./sglang.ts";
import { tensorrtLlmStarter } from "./tensorrt-llm.ts";
import { tritonVllmStarter } from "./triton-vllm.ts";
import { vllmStarter } from "./vllm.ts";

const STARTERS: ReadonlyMap<string, EngineStarter> = new Map(
  [
    llamaCppStarter,
    vllmStarter,
    sglangStarter,
    ktransformersStarter,
    tritonVllmStarter,
    tensorrtLlmStarter,
    comfyuiStarter,
  ].map((starter) => [starter.kind, starter]),
);

/** How a kind of engine of the catalog is started; absent for engines within Omni and for those elsewhere. */
export const findEngineStarter = (kind: string): EngineStarter | undefined => STARTERS.get(kind);
