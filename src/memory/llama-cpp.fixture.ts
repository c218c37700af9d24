import type { DeviceRoom, EngineSettings } from "./memory-model.ts";

/** One request of 8192 tokens, everything on the cards, in llama.cpp's defaults. */
export const settings = (changes: Partial<EngineSettings> = {}): EngineSettings => ({
  contextTokens: 8192,
  parallel: 1,
  kvKeyType: "f16",
  kvValueType: "f16",
  kvOnHost: false,
  kvUnified: false,
  tensorParallel: 1,
  pipelineParallel: 1,
  gpuLayers: 999,
  cpuExpertLayers: 0,
  batchTokens: 2048,
  microBatchTokens: 512,
  flashAttention: true,
  cudaGraphs: false,
  threads: 2,
  ...changes,
});

/** Cards with so many bytes free each; no CUDA cards unless told. */
export const cards = (free: readonly number[], computeCapability?: string): DeviceRoom[] =>
  free.map((bytes, index) => ({
    name: `gpu-${index}`,
    total: bytes,
    free: bytes,
    ...(computeCapability === undefined ? {} : { computeCapability }),
  }));
