import type { PlannedService } from "../../plan/plan.ts";
import type { EngineOptions, EnginePlace, EngineStart, EngineStarter } from "../start.ts";
import { engineCommand, programOf } from "./engine-command.ts";
import { cudaOrder, EXPANDABLE_SEGMENTS, hubOffline } from "./engine-environment.ts";
import { vllmSettings } from "./vllm-settings.ts";

const LAST_PORT = 65_535;

/** Triton with vLLM as its backend: the server's own arguments here, the engine's in the repository's model.json. */
export const tritonVllmStarter: EngineStarter = { kind: "triton-vllm", start };

function start(service: PlannedService, options: EngineOptions, place: EnginePlace): EngineStart {
  const { port, host } = place;
  const step = port + 2 > LAST_PORT ? -1 : 1;
  const [grpc, metrics] = [port + step, port + 2 * step];
  const words = [
    `--model-repository=${place.repositoryPath ?? "/repository"}`,
    "--model-control-mode=explicit",
    `--load-model=${options.servedName}`,
    `--http-address=${host}`,
    `--http-port=${port}`,
    `--grpc-address=${host}`,
    `--grpc-port=${grpc}`,
    `--metrics-address=${host}`,
    `--metrics-port=${metrics}`,
  ];
  return {
    command: engineCommand([programOf("tritonserver", options, place)], words, service, options),
    environment: {
      ...cudaOrder(service),
      ...EXPANDABLE_SEGMENTS,
      ...hubOffline(place.modelPath),
      VLLM_NO_USAGE_STATS: "1",
    },
    readyPath: "/v2/health/ready",
    livePath: "/v2/health/live",
    metrics: { path: "/metrics", port: metrics },
    furtherPorts: [
      { name: "grpc", port: grpc },
      { name: "metrics", port: metrics },
    ],
  };
}

/** The engine's arguments as the backend reads them from `1/model.json`: fields of vLLM's AsyncEngineArgs. */
export function tritonModelArguments(
  service: PlannedService,
  options: EngineOptions,
  place: EnginePlace,
): Record<string, unknown> {
  const settings = { model: place.modelPath, ...vllmSettings(service, options), disable_log_stats: false };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
