import type { PlannedService } from "../../plan/plan.ts";
import { VLLM_FAILURES } from "../failures/vllm-failures.ts";
import { readFailure } from "../failures/read-failure.ts";
import type { EngineOptions, EnginePlace, EngineStart, EngineStarter } from "../start.ts";
import { engineCommand, imageOf, pathWord, programOf, pythonFlagWords } from "./engine-command.ts";
import { cudaOrder, expandableSegments, hubOffline, NO_USAGE_STATS } from "./engine-environment.ts";
import { versionOf } from "./engine-version.ts";
import { namedAdapters } from "./named-adapters.ts";
import { vllmDialect } from "./vllm-dialect.ts";
import { vllmSettings } from "./vllm-settings.ts";

/** `vllm serve`. `/health` asks whether the engine's processes live, not for a token, so it answers under load as well. */
export const vllmStarter: EngineStarter = {
  kind: "vllm",
  start,
  classifyExit: (exit, lastLines) => readFailure(VLLM_FAILURES, exit, lastLines),
};

function start(service: PlannedService, options: EngineOptions, place: EnginePlace): EngineStart {
  const dialect = vllmDialect("vllm", versionOf(service.engine.version, imageOf(service, place)));
  const adapters = namedAdapters(place.adapterPaths);
  const words = [
    "serve",
    pathWord(place.modelPath),
    ...pythonFlagWords({
      "--host": place.host,
      "--port": place.port,
      "--served-model-name": options.servedName,
    }),
    ...pythonFlagWords(asFlags(vllmSettings(service, options, place, dialect))),
    ...pythonFlagWords({ "--chat-template": place.chatTemplatePath }),
    ...(adapters.length === 0 ? [] : ["--enable-lora", "--lora-modules", ...adapters]),
  ];
  return {
    command: engineCommand([programOf("vllm", options, place)], words, service, options),
    environment: {
      ...cudaOrder(service),
      ...expandableSegments(service, options),
      ...hubOffline(place.modelPath),
      ...NO_USAGE_STATS,
    },
    readyPath: "/health",
    livePath: "/health",
    metrics: { path: "/metrics" },
  };
}

/** Names of fields as flags; what is no plain value becomes JSON. */
const asFlags = (
  settings: ReturnType<typeof vllmSettings>,
): Readonly<Record<string, string | number | boolean>> =>
  Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      `--${name.replaceAll("_", "-")}`,
      typeof value === "object" ? JSON.stringify(value) : value,
    ]),
  );
