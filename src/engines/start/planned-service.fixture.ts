import type { EngineSettings } from "./engine-settings.ts";
import type { PlannedService } from "../../plan/plan.ts";
import type { EngineOptions, EnginePlace } from "../start.ts";

/** Settings as llama.cpp's fit returns them for everything on one card. */
export const SETTINGS: EngineSettings = {
  contextTokens: 16_384,
  parallel: 2,
  kvKeyType: "f16",
  kvValueType: "f16",
  kvOnHost: false,
  kvUnified: false,
  tensorParallel: 1,
  pipelineParallel: 1,
  gpuLayers: 65,
  cpuExpertLayers: 0,
  batchTokens: 2048,
  microBatchTokens: 512,
  flashAttention: true,
  cudaGraphs: true,
  threads: 16,
};

/** What an engine that divides a card by a fraction is given. */
export const PAGED: EngineSettings = {
  ...SETTINGS,
  contextTokens: 32_768,
  parallel: 256,
  kvKeyType: "bf16",
  kvValueType: "bf16",
  kvUnified: true,
  batchTokens: 8192,
  microBatchTokens: 8192,
  memoryFraction: 0.95,
  threads: 1,
};

/** A planned service of that kind; context, requests and threads follow its settings. */
export function planned(
  kind: string,
  settings: EngineSettings,
  more: Partial<PlannedService> = {},
): PlannedService {
  return {
    name: "brain",
    engine: { name: kind, kind, version: "unknown" },
    model: { name: "model", path: "/models/model", sizeBytes: 1 },
    devices: ["blackwell"],
    tensorParallel: settings.tensorParallel,
    pipelineParallel: settings.pipelineParallel,
    contextTokens: settings.contextTokens,
    parallel: settings.parallel,
    queueLimit: 64,
    threads: settings.threads,
    settings,
    memory: [],
    restart: { restarts: 3, window: 60_000, backoffMin: 100, backoffMax: 1000 },
    loadTimeout: 60_000,
    extraArguments: [],
    ...more,
  };
}

export const OPTIONS: EngineOptions = { servedName: "brain", weights: "auto" };

export const PLACE: EnginePlace = {
  runtime: "container",
  host: "0.0.0.0",
  port: 8000,
  modelPath: "/models/model",
};
