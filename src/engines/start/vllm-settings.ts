import { GIB } from "../../core/index.ts";
import type { KvType } from "./engine-settings.ts";
import type { PlannedService } from "../../plan/plan.ts";
import type { EngineOptions, EnginePlace } from "../start.ts";
import type { VllmDialect } from "./vllm-dialect.ts";

type Settings = Readonly<Record<string, string | number | boolean | Readonly<Record<string, unknown>>>>;

/**
 * What a placement says to vLLM, by the names of its EngineArgs; the command line writes them with dashes and Triton's
 * model.json as they are. `gpu_memory_utilization` stays beside `kv_cache_memory_bytes`: the latter replaces the profile
 * run, while the check of free memory at start still goes by the former (`request_memory` in vllm/v1/worker/utils.py).
 */
export function vllmSettings(
  service: PlannedService,
  options: EngineOptions,
  place: EnginePlace,
  dialect: VllmDialect,
): Settings {
  const { settings } = service;
  const all: Record<string, Settings[string] | undefined> = {
    tensor_parallel_size: service.tensorParallel,
    pipeline_parallel_size: service.pipelineParallel,
    data_parallel_size: options.dataParallel,
    enable_expert_parallel: options.expertParallel === true ? true : undefined,
    quantization: options.quantization,
    max_model_len: service.contextTokens > 0 ? service.contextTokens : undefined,
    max_num_seqs: service.parallel,
    max_num_batched_tokens: settings?.batchTokens,
    enable_chunked_prefill: dialect.asksForChunkedPrefill ? true : undefined,
    gpu_memory_utilization: settings?.memoryFraction,
    kv_cache_memory_bytes: dialect.kvCacheBytes ? settings?.kvBytes : undefined,
    kv_cache_dtype: settings === undefined ? undefined : KV_DTYPE[settings.kvKeyType],
    ...offloading(options, dialect),
    enforce_eager: settings?.cudaGraphs === false ? true : undefined,
    speculative_config:
      place.draftPath === undefined
        ? undefined
        : { model: place.draftPath, num_speculative_tokens: options.draftTokens ?? DRAFT_TOKENS },
  };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
}

/** Default of the spec. */
const DRAFT_TOKENS = 4;

/** Types of vLLM's cache; the model's own, two bytes an element, where nothing else is said. */
const KV_DTYPE: Partial<Readonly<Record<KvType, string>>> = {
  fp8: "fp8",
  nvfp4: "nvfp4",
  int8: "int8_per_token_head",
};

/** Cache in main memory, GiB over all ranks; only as much as was left for it, because no plan has counted it. */
function offloading(
  { kvCacheOffload, promptCache = 0 }: EngineOptions,
  dialect: VllmDialect,
): Record<string, string | number> {
  if (kvCacheOffload === undefined || promptCache <= 0 || !dialect.kvOffloading) return {};
  return {
    kv_offloading_backend: kvCacheOffload,
    kv_offloading_size: Math.floor((promptCache / GIB) * 100) / 100,
  };
}
