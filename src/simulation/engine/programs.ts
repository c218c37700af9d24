import type { EngineProgram } from "./engine.ts";

/** The program of a kind; only that one is loaded. Throws Error for a kind that is not simulated. */
export async function findProgram(kind: string): Promise<EngineProgram> {
  switch (kind) {
    case "llama.cpp":
      return (await import("./llama-cpp/llama-cpp.ts")).llamaCppProgram;
    case "vllm":
      return (await import("./vllm/vllm.ts")).vllmProgram;
    case "sglang":
    case "ktransformers":
      return (await import("./sglang/sglang.ts")).sglangProgram;
    case "triton-vllm":
      return (await import("./triton/triton.ts")).tritonProgram;
    case "comfyui":
      return (await import("./comfyui/comfyui.ts")).comfyuiProgram;
    case "openai":
      return (await import("./remote/remote.ts")).remoteProgram;
    default:
      throw new Error(`Engines of kind ${kind} are not simulated.`);
  }
}
