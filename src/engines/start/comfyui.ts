import type { PlannedService } from "../../plan/plan.ts";
import type { EngineOptions, EnginePlace, EngineStart, EngineStarter } from "../start.ts";
import { cardsOf, engineCommand, flagWords, programOf } from "./engine-command.ts";
import { cudaOrder } from "./engine-environment.ts";

/**
 * ComfyUI, started in its own folder. `/system_stats` is answered by its event loop while a worker thread computes. It has
 * no metrics for Prometheus.
 */
export const comfyuiStarter: EngineStarter = { kind: "comfyui", start };

function start(service: PlannedService, options: EngineOptions, place: EnginePlace): EngineStart {
  const words = flagWords({
    "--listen": place.host,
    "--port": place.port,
    "--disable-auto-launch": true,
    "--cpu": cardsOf(service).length === 0,
  });
  const program = [programOf("python", options, place), "main.py"] as const;
  return {
    command: engineCommand(program, words, service, options),
    environment: cudaOrder(service),
    readyPath: "/system_stats",
    livePath: "/system_stats",
  };
}
