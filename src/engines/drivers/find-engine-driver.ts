import { embedded } from "../embedded.ts";
import type { EngineDriver } from "../engine.ts";
import { anthropicDriver } from "./anthropic.ts";
import { comfyuiDriver } from "./comfyui.ts";
import { ktransformersDriver } from "./ktransformers.ts";
import { llamaCppDriver } from "./llama-cpp.ts";
import { openaiDriver } from "./openai.ts";
import { sglangDriver } from "./sglang.ts";
import { tensorrtLlmDriver } from "./tensorrt-llm.ts";
import { tritonVllmDriver } from "./triton-vllm.ts";
import { vllmDriver } from "./vllm.ts";

const DRIVERS: ReadonlyMap<string, EngineDriver> = new Map(
  [
    embedded,
    llamaCppDriver,
    vllmDriver,
    sglangDriver,
    ktransformersDriver,
    tritonVllmDriver,
    tensorrtLlmDriver,
    comfyuiDriver,
    openaiDriver,
    anthropicDriver,
  ].map((driver) => [driver.kind, driver]),
);

/** How a kind of engine of the catalog is watched while it runs; there is one for each. */
export const findEngineDriver = (kind: string): EngineDriver | undefined => DRIVERS.get(kind);
