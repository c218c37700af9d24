import { TORCH_FAILURES } from "./common-failures.ts";
import type { FailurePattern, FailureReading } from "./failure-pattern.ts";

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
    {
      line: /CUDA runtime error in [^\n]*: out of memory|Insufficient (?:GPU )?memory for (?:KV|kv)[^\n]*|Failed to allocate[^\n]*GPU memory[^\n]*/,
      code: "engine.out-of-memory",
      message: "A card ran out of memory: $&",
      recoverable: true,
      serving: "engine.out-of-memory",
    },
    {
      line: /Executor worker (?:died|returned error)[^\n]*|Fatal error in worker[^\n]*|MPI_ABORT was invoked on rank \d+/,
      code: "engine.crashed",
      message: "A process of it died: $&",
      recoverable: true,
      serving: "engine.core-dead",
    },
    ...TORCH_FAILURES,
  ],
};

/** Lines of a traceback over a workflow, which ComfyUI survives: it unloads its models and answers `execution_error`. */
const SURVIVED: readonly FailurePattern[] = [
  {
    line: /Got an OOM, unloading all loaded models/,
    code: "engine.out-of-memory",
    message: "A workflow ran out of memory; its models were unloaded, and it serves on.",
    hint: "Make the image smaller or the batch shorter, or let it have the card alone: lease.",
    recoverable: true,
    serving: "engine.out-of-memory",
    goesOn: true,
  },
];

/** What a workflow ran into is no cause of its end once the workflow is over. */
export const COMFYUI_FAILURES: FailureReading = {
  title: "ComfyUI",
  takesBack: /Got an OOM, unloading all loaded models|Prompt executed in/,
  patterns: TORCH_FAILURES,
};
export const COMFYUI_SERVING: FailureReading = { title: "ComfyUI", patterns: SURVIVED };
