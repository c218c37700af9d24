import type { PlannedService } from "../../plan/plan.ts";
import type { EngineOptions, EnginePlace } from "../start.ts";
import { pythonFlagWords } from "./engine-command.ts";

/**
 * Arguments of KTransformers' own server (`ktransformers.server.main`), which releases before 0.4 served with: the folder
 * of configuration and tokenizer, the GGUF files, and one cache for all requests. Source: doc/en/Kimi-K2.md of 0.3.
 */
export const ktransformersServerWords = (
  service: PlannedService,
  options: EngineOptions,
  place: EnginePlace,
): string[] => {
  const threads = service.settings?.threads ?? service.threads;
  return pythonFlagWords({
    "--model_path": place.modelPath,
    "--gguf_path": place.modelPath,
    "--model_name": options.servedName,
    "--host": place.host,
    "--port": place.port,
    "--cpu_infer": threads > 0 ? threads : undefined,
    "--cache_lens": service.contextTokens * service.parallel,
    "--chunk_size": service.settings?.batchTokens,
    "--max_batch_size": service.parallel,
    "--backend_type": "balance_serve",
  });
};
