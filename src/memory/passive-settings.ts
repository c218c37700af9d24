import type { EngineSettings, Wishes } from "./memory-model.ts";
import { wishedSettings } from "./wished-settings.ts";

/** Context of a remote model that nobody bounded: nothing of this machine depends on it. */
const UNBOUNDED_CONTEXT = 131_072;
const UNBOUNDED_PARALLEL = 64;

/** The settings of an engine whose start is not decided here: what was wished, and values that take nothing. */
export function passiveSettings(wishes: Wishes, trainedContext?: number): EngineSettings {
  const wished = wishedSettings(wishes);
  return {
    contextTokens: trainedContext !== undefined && trainedContext > 0 ? trainedContext : UNBOUNDED_CONTEXT,
    parallel: UNBOUNDED_PARALLEL,
    kvKeyType: "bf16",
    kvValueType: "bf16",
    kvOnHost: false,
    kvUnified: false,
    tensorParallel: 1,
    pipelineParallel: 1,
    gpuLayers: 0,
    cpuExpertLayers: 0,
    batchTokens: 1,
    microBatchTokens: 1,
    flashAttention: false,
    cudaGraphs: false,
    threads: 1,
    ...wished,
  };
}
