import type { PlannedService } from "../../plan/plan.ts";
import { SGLANG_FAILURES } from "../failures/sglang-failures.ts";
import { readFailure } from "../failures/read-failure.ts";
import type { EngineOptions, EnginePlace, EngineStart, EngineStarter } from "../start.ts";
import { engineCommand } from "./engine-command.ts";
import { cudaOrder, expandableSegments, hubOffline } from "./engine-environment.ts";
import { sglangProgram, sglangWords } from "./sglang-words.ts";

/**
 * SGLang's server. `/health` sends a token through the scheduler (sglang #8444); a long prompt can hold that up, so life is
 * asked of `/v1/models`, which the HTTP server answers by itself. A scheduler that stands still is ended by SGLang's own
 * watchdog (`--watchdog-timeout`, 300 s).
 */
export const sglangStarter: EngineStarter = {
  kind: "sglang",
  start,
  classifyExit: (exit, lastLines) => readFailure(SGLANG_FAILURES, exit, lastLines),
};

function start(service: PlannedService, options: EngineOptions, place: EnginePlace): EngineStart {
  const words = sglangWords(service, options, place);
  return {
    command: engineCommand(sglangProgram(options, place), words, service, options),
    environment: {
      ...cudaOrder(service),
      ...expandableSegments(service, options),
      ...hubOffline(place.modelPath),
    },
    readyPath: "/health",
    livePath: "/v1/models",
    metrics: { path: "/metrics" },
  };
}
