import type { PlannedService } from "../../plan/plan.ts";
import type { EngineOptions, EnginePlace, EngineStart, EngineStarter } from "../start.ts";
import { engineCommand, pathWord, programOf, pythonFlagWords } from "./engine-command.ts";
import { cudaOrder, EXPANDABLE_SEGMENTS, hubOffline } from "./engine-environment.ts";
import { vllmSettings } from "./vllm-settings.ts";

/** `vllm serve`. `/health` asks whether the engine's processes live, not for a token, so it answers under load as well. */
export const vllmStarter: EngineStarter = { kind: "vllm", start };

function start(service: PlannedService, options: EngineOptions, place: EnginePlace): EngineStart {
  const words = [
    "serve",
    pathWord(place.modelPath),
    ...pythonFlagWords({
      "--host": place.host,
      "--port": place.port,
      "--served-model-name": options.servedName,
    }),
    ...pythonFlagWords(dashed(vllmSettings(service, options))),
    ...pythonFlagWords({ "--chat-template": place.chatTemplatePath }),
  ];
  return {
    command: engineCommand([programOf("vllm", options, place)], words, service, options),
    environment: {
      ...cudaOrder(service),
      ...EXPANDABLE_SEGMENTS,
      ...hubOffline(place.modelPath),
      // A node that says nothing to the outside (docs.vllm.ai, usage statistics).
      VLLM_NO_USAGE_STATS: "1",
    },
    readyPath: "/health",
    livePath: "/health",
    metrics: { path: "/metrics" },
  };
}

const dashed = <V>(settings: Readonly<Record<string, V>>): Readonly<Record<string, V>> =>
  Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [`--${name.replaceAll("_", "-")}`, value]),
  );
