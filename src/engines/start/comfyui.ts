import type { PlannedService } from "../../plan/plan.ts";
import { COMFYUI_FAILURES } from "../failures/python-failures.ts";
import { readFailure } from "../failures/read-failure.ts";
import type { EngineOptions, EnginePlace, EngineStart, EngineStarter } from "../start.ts";
import { cardsOf, engineCommand, flagWords, programOf } from "./engine-command.ts";
import { cudaOrder } from "./engine-environment.ts";

/**
 * ComfyUI, started in its own folder. `/system_stats` is answered by its event loop while a thread of its own computes. It
 * has no metrics for Prometheus.
 */
export const comfyuiStarter: EngineStarter = {
  kind: "comfyui",
  start,
  classifyExit: (exit, lastLines) => readFailure(COMFYUI_FAILURES, exit, lastLines),
};

function start(service: PlannedService, options: EngineOptions, place: EnginePlace): EngineStart {
  const words = flagWords({
    "--listen": place.host,
    "--port": place.port,
    "--disable-auto-launch": true,
    "--cpu": cardsOf(service).length === 0,
  });
  return {
    command: engineCommand(programIn(options, place), words, service, options),
    environment: cudaOrder(service),
    readyPath: "/system_stats",
    livePath: "/system_stats",
  };
}

/** A script of Python is handed to Python, an interpreter gets the script, and anything else starts it by itself. */
function programIn(options: EngineOptions, place: EnginePlace): readonly [string, ...string[]] {
  const program = programOf("python3", options, place);
  if (program.endsWith(".py")) return ["python3", program];
  return /(?:^|\/)python[\d.]*$/.test(program) ? [program, "main.py"] : [program];
}
