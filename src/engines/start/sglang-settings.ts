import type { KvType } from "../../memory/memory-model.ts";
import type { PlannedService } from "../../plan/plan.ts";
import type { EngineOptions, EnginePlace } from "../start.ts";
import { type FlagValue, pythonFlagWords } from "./engine-command.ts";

/**
 * What a placement says to SGLang's server. The pool is bounded by the planned tokens as well as by the fraction: the
 * fraction counts what is free at start, which is more than the plan gave where a neighbour is not loaded yet.
 */
export const sglangWords = (
  service: PlannedService,
  options: EngineOptions,
  place: EnginePlace,
  more: Readonly<Record<string, FlagValue>> = {},
): string[] => {
  const { settings } = service;
  return pythonFlagWords({
    "--model-path": place.modelPath,
    "--host": place.host,
    "--port": place.port,
    "--served-model-name": options.servedName,
    "--tp-size": service.tensorParallel,
    "--pp-size": service.pipelineParallel,
    "--dp-size": options.dataParallel,
    "--ep-size": options.expertParallel === true ? service.tensorParallel : undefined,
    "--context-length": service.contextTokens > 0 ? service.contextTokens : undefined,
    "--max-running-requests": service.parallel,
    "--max-total-tokens": service.kvCache === undefined ? undefined : Math.floor(service.kvCache.tokens),
    "--mem-fraction-static": settings?.memoryFraction,
    "--chunked-prefill-size": settings?.batchTokens,
    "--kv-cache-dtype": settings === undefined ? undefined : KV_DTYPE[settings.kvKeyType],
    "--quantization": options.quantization,
    "--disable-cuda-graph": settings?.cudaGraphs === false,
    "--chat-template": place.chatTemplatePath,
    "--is-embedding": options.task !== undefined,
    "--enable-metrics": true,
    ...more,
  });
};

/** Types of SGLang's cache; the model's own, two bytes an element, where nothing else is said. */
const KV_DTYPE: Partial<Readonly<Record<KvType, string>>> = { fp8: "fp8_e4m3", nvfp4: "fp4_e2m1" };
