import { TORCH_FAILURES } from "./common-failures.ts";
import type { FailureReading } from "./failure-pattern.ts";

/** TensorRT-LLM. */
export const TENSORRT_LLM_FAILURES: FailureReading = {
  title: "TensorRT-LLM",
  patterns: [
    {
      line: /(?:Executor creation failed|Failed to create executor)[^\n]*insufficient GPU memory[^\n]*/i,
      code: "engine.out-of-memory",
      message: "A card ran out of memory at start: $&",
      recoverable: true,
    },
    ...TORCH_FAILURES,
  ],
};

/** ComfyUI survives a workflow that runs out of memory: it unloads its models and says so (`execution_error`). */
export const COMFYUI_FAILURES: FailureReading = {
  title: "ComfyUI",
  harmless: /Got an OOM, unloading all loaded models/,
  patterns: TORCH_FAILURES,
};
