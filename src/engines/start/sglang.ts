import type { PlannedService } from "../../plan/plan.ts";
import type { EngineOptions, EnginePlace, EngineStart, EngineStarter } from "../start.ts";
import { engineCommand, programOf } from "./engine-command.ts";
import { cudaOrder, EXPANDABLE_SEGMENTS, hubOffline } from "./engine-environment.ts";
import { sglangWords } from "./sglang-settings.ts";

/**
 * SGLang's server. `/health` waits for a token of the scheduler when it is idle, and under load for one of the running
 * requests; a long prompt can hold it up, so life is asked of `/v1/models`, which the HTTP server answers by itself. A
 * scheduler that stands still is ended by SGLang's own watchdog (`--watchdog-timeout`, 300 s).
 */
export const sglangStarter: EngineStarter = { kind: "sglang", start };

function start(service: PlannedService, options: EngineOptions, place: EnginePlace): EngineStart {
  const program = [programOf("python3", options, place), "-m", "sglang.launch_server"] as const;
  return {
    command: engineCommand(program, sglangWords(service, options, place), service, options),
    environment: { ...cudaOrder(service), ...EXPANDABLE_SEGMENTS, ...hubOffline(place.modelPath) },
    readyPath: "/health",
    livePath: "/v1/models",
    metrics: { path: "/metrics" },
  };
}
