import type { PlannedService } from "../../plan/plan.ts";
import type { EngineOptions, EnginePlace, EngineStart, EngineStarter } from "../start.ts";
import { engineCommand, pathWord, programOf, pythonFlagWords } from "./engine-command.ts";
import { cudaOrder, hubOffline } from "./engine-environment.ts";

/** `trtllm-serve` with its PyTorch backend. */
export const tensorrtLlmStarter: EngineStarter = { kind: "tensorrt-llm", start };

function start(service: PlannedService, options: EngineOptions, place: EnginePlace): EngineStart {
  const { settings } = service;
  const words = [
    pathWord(place.modelPath),
    ...pythonFlagWords({
      "--host": place.host,
      "--port": place.port,
      "--backend": "pytorch",
      "--tp_size": service.tensorParallel,
      "--pp_size": service.pipelineParallel,
      "--ep_size": options.expertParallel === true ? service.tensorParallel : undefined,
      "--max_seq_len": service.contextTokens > 0 ? service.contextTokens : undefined,
      "--max_batch_size": service.parallel,
      "--max_num_tokens": settings?.batchTokens,
      "--kv_cache_free_gpu_memory_fraction": settings?.memoryFraction,
    }),
  ];
  return {
    command: engineCommand([programOf("trtllm-serve", options, place)], words, service, options),
    environment: { ...cudaOrder(service), ...hubOffline(place.modelPath) },
    readyPath: "/health",
    livePath: "/health",
  };
}
