import type { PlannedService } from "../../plan/plan.ts";
import { TRITON_FAILURES } from "../failures/vllm-failures.ts";
import { readFailure } from "../failures/read-failure.ts";
import type { EngineOptions, EnginePlace, EngineStart, EngineStarter } from "../start.ts";
import { engineCommand, imageOf, programOf } from "./engine-command.ts";
import { cudaOrder, expandableSegments, hubOffline, NO_USAGE_STATS } from "./engine-environment.ts";
import { versionOf } from "./engine-version.ts";
import { vllmDialect } from "./vllm-dialect.ts";
import { vllmSettings } from "./vllm-settings.ts";

const LAST_PORT = 65_535;

/**
 * Triton with vLLM as its backend: the server's own arguments here, the engine's in the repository's model.json. Control
 * is explicit, because only then may the backend take a model out whose engine died (ENABLE_VLLM_HEALTH_CHECK). gRPC and
 * metrics take the next two ports, as 8000 has 8001 and 8002.
 */
export const tritonVllmStarter: EngineStarter = {
  kind: "triton-vllm",
  start,
  classifyExit: (exit, lastLines) => readFailure(TRITON_FAILURES, exit, lastLines),
};

function start(service: PlannedService, options: EngineOptions, place: EnginePlace): EngineStart {
  const { port, host } = place;
  const step = port + 2 > LAST_PORT ? -1 : 1;
  const grpc = port + step;
  const metrics = port + 2 * step;
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
      ...expandableSegments(service, options),
      ...hubOffline(place.modelPath),
      ...NO_USAGE_STATS,
    },
    // The server's own health stays good when the backend has taken out a model whose engine died; the model's does not.
    readyPath: `/v2/models/${encodeURIComponent(options.servedName)}/ready`,
    livePath: `/v2/models/${encodeURIComponent(options.servedName)}/ready`,
    metrics: { path: "/metrics", port: metrics },
    furtherPorts: [
      { name: "grpc", port: grpc },
      { name: "metrics", port: metrics },
    ],
  };
}

/**
 * The engine's arguments as the backend reads them from `1/model.json`: fields of vLLM's AsyncEngineArgs, of the release
 * that this Triton carries. Statistics stay on: Triton's metrics of the engine are made of them.
 */
export function tritonModelArguments(
  service: PlannedService,
  options: EngineOptions,
  place: EnginePlace,
): Record<string, unknown> {
  const dialect = vllmDialect("triton", versionOf(service.engine.version, imageOf(service, place)));
  return {
    model: place.modelPath,
    ...vllmSettings(service, options, place, dialect),
    ...((place.adapterPaths ?? []).length === 0 ? {} : { enable_lora: true }),
    disable_log_stats: false,
  };
}
