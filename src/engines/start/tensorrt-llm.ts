import type { KvType } from "./engine-settings.ts";
import type { PlannedService } from "../../plan/plan.ts";
import { TENSORRT_LLM_FAILURES } from "../failures/python-failures.ts";
import { readFailure } from "../failures/read-failure.ts";
import type { EngineOptions, EnginePlace, EngineStart, EngineStarter } from "../start.ts";
import { engineCommand, imageOf, pathWord, programOf, pythonFlagWords } from "./engine-command.ts";
import { cudaOrder, hubOffline } from "./engine-environment.ts";
import { isBefore, versionOf } from "./engine-version.ts";

/** It counts what it serves, when asked to, and takes a name for the model (#11711), since these versions. */
const SINCE = { perfMetrics: [1, 1], servedName: [1, 3] } as const;
const OPTIONS_FILE = "/tmp/omni-llm-options.json";

/**
 * `trtllm-serve` with its PyTorch backend. The size and type of the cache have no flags: they go into a file of options,
 * which is written first thing. All words are arguments of the script, none is part of it.
 */
export const tensorrtLlmStarter: EngineStarter = {
  kind: "tensorrt-llm",
  start,
  classifyExit: (exit, lastLines) => readFailure(TENSORRT_LLM_FAILURES, exit, lastLines),
};

const SCRIPT = `printf '%s\\n' "$2" >"$1"; shift 2; exec "$@"`;

function start(service: PlannedService, options: EngineOptions, place: EnginePlace): EngineStart {
  const { settings } = service;
  const version = versionOf(service.engine.version, imageOf(service, place));
  const measured = !isBefore(version, SINCE.perfMetrics);
  const words = [
    pathWord(place.modelPath),
    ...pythonFlagWords({
      "--host": place.host,
      "--port": place.port,
      "--served_model_name": isBefore(version, SINCE.servedName) ? undefined : options.servedName,
      "--backend": "pytorch",
      "--tp_size": service.tensorParallel,
      "--pp_size": service.pipelineParallel,
      "--ep_size": options.expertParallel === true ? service.tensorParallel : undefined,
      "--max_seq_len": service.contextTokens > 0 ? service.contextTokens : undefined,
      "--max_batch_size": service.parallel,
      "--max_num_tokens": settings?.batchTokens,
      "--extra_llm_api_options": OPTIONS_FILE,
    }),
  ];
  const command = engineCommand([programOf("trtllm-serve", options, place)], words, service, options);
  const file = JSON.stringify(llmOptions(service, options, measured));
  return {
    command:
      options.command === undefined
        ? ["/bin/sh", "-ec", SCRIPT, "omni", OPTIONS_FILE, file, ...command]
        : command,
    environment: { ...cudaOrder(service), ...hubOffline(place.modelPath) },
    readyPath: "/health",
    livePath: "/health",
    // `/metrics` is JSON of single steps.
    ...(measured ? { metrics: { path: "/prometheus/metrics" } } : {}),
  };
}

/**
 * Options of TensorRT-LLM's LLM API, JSON being YAML. The fraction is of what weights leave free, so planned tokens bound
 * the cache where a neighbour is not loaded yet; prompts longer than a step are cut into steps, as predicted.
 */
function llmOptions(
  { settings, kvCache }: PlannedService,
  { kvCacheOffload, promptCache = 0 }: EngineOptions,
  measured: boolean,
): Readonly<Record<string, unknown>> {
  return {
    kv_cache_config: {
      ...(settings?.memoryFraction === undefined
        ? {}
        : { free_gpu_memory_fraction: settings.memoryFraction }),
      ...(kvCache === undefined ? {} : { max_tokens: Math.floor(kvCache.tokens) }),
      ...(settings === undefined ? {} : { dtype: KV_DTYPE[settings.kvKeyType] ?? "auto" }),
      ...(kvCacheOffload !== undefined && promptCache > 0
        ? { host_cache_size: Math.floor(promptCache) }
        : {}),
    },
    enable_chunked_prefill: true,
    ...(settings?.cudaGraphs === false ? { cuda_graph_config: null } : {}),
    ...(measured ? { return_perf_metrics: true } : {}),
  };
}

const KV_DTYPE: Partial<Readonly<Record<KvType, string>>> = { fp8: "fp8", nvfp4: "nvfp4", int8: "int8" };
