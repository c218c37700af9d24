import type { KvType } from "../../memory/memory-model.ts";
import type { PlannedService } from "../../plan/plan.ts";
import type { EngineOptions } from "../start.ts";

/**
 * What a placement says to vLLM, by the names of its EngineArgs; the command line writes them with dashes and Triton's
 * model.json as they are. `gpu_memory_utilization` stays beside `kv_cache_memory_bytes`: the latter replaces the profile run,
 * while the check of free memory at start still goes by the former (vllm/v1/worker/gpu_worker.py).
 */
export function vllmSettings(
  service: PlannedService,
  options: EngineOptions,
): Readonly<Record<string, string | number | boolean | undefined>> {
  const { settings } = service;
  return {
    tensor_parallel_size: service.tensorParallel,
    pipeline_parallel_size: service.pipelineParallel,
    data_parallel_size: options.dataParallel,
    max_model_len: service.contextTokens > 0 ? service.contextTokens : undefined,
    max_num_seqs: service.parallel,
    max_num_batched_tokens: settings?.batchTokens,
    gpu_memory_utilization: settings?.memoryFraction,
    kv_cache_memory_bytes: settings?.kvBytes,
    kv_cache_dtype: settings === undefined ? undefined : KV_DTYPE[settings.kvKeyType],
    quantization: options.quantization,
    enforce_eager: settings?.cudaGraphs === false ? true : undefined,
    enable_expert_parallel: options.expertParallel === true ? true : undefined,
  };
}

/** Types of vLLM's cache; the model's own, two bytes an element, where nothing else is said. */
const KV_DTYPE: Partial<Readonly<Record<KvType, string>>> = {
  fp8: "fp8",
  nvfp4: "nvfp4",
  int8: "int8_per_token_head",
};
