import { describe, expect, it } from "vitest";
import { GIB } from "../core/index.ts";
import type { ModelShape } from "../models/model-shape.ts";
import { denseShape, inScheme } from "./shapes.fixture.ts";
import type { EngineSettings } from "./memory-model.ts";
import { pipelineStages } from "./pipeline-stages.ts";
import { termBytes } from "./terms.ts";
import { vllmProfile } from "./vllm-profile.ts";

/** A start of vLLM as its log told it ("Actual usage is …"), GiB a card. */
interface LoggedRun {
  readonly name: string;
  readonly shape: ModelShape;
  readonly ranks: number;
  readonly activation: number;
  readonly graphs: number;
  readonly nonTorch: number;
}

const QWEN25_7B = denseShape({
  name: "Qwen2.5-7B",
  layers: 28,
  hidden: 3584,
  feedForward: 18_944,
  heads: 28,
  kvHeads: 4,
  headLength: 128,
  vocabulary: 152_064,
  trainedContext: 32_768,
});
const QWEN3_8B = denseShape({
  name: "Qwen3-8B",
  layers: 36,
  hidden: 4096,
  feedForward: 12_288,
  heads: 32,
  kvHeads: 8,
  headLength: 128,
  vocabulary: 151_936,
  trainedContext: 40_960,
});
const QWEN25_05B = denseShape({
  name: "Qwen2.5-0.5B",
  layers: 24,
  hidden: 896,
  feedForward: 4864,
  heads: 14,
  kvHeads: 2,
  headLength: 64,
  vocabulary: 151_936,
  tied: true,
  trainedContext: 32_768,
});
/** 94 layers of 128 experts of width 1536, 8 of them used. */
const QWEN3_235B: ModelShape = {
  ...denseShape({
    name: "Qwen3-235B-A22B",
    layers: 94,
    hidden: 4096,
    feedForward: 0,
    heads: 64,
    kvHeads: 4,
    headLength: 128,
    vocabulary: 151_936,
    trainedContext: 262_144,
  }),
  experts: { count: 128, used: 8, shared: 0, feedForward: 1536 },
  layers: Array.from({ length: 94 }, () => ({
    weights: { attention: 71_000_000, feedForward: 1_000_000, experts: 128 * 3 * 4096 * 1536 },
    caches: [{ kind: "full", kvHeads: 4, keyLength: 128, valueLength: 128 }],
  })),
};

const RUNS: readonly LoggedRun[] = [
  {
    name: "Qwen2.5-7B AWQ on 16 GB, 0.90",
    shape: inScheme(QWEN25_7B, "w4a16-awq"),
    ranks: 1,
    activation: 1.04,
    graphs: 0.48,
    nonTorch: 0.06,
  },
  {
    name: "Qwen3-8B BF16 on 48 GB, 0.90",
    shape: QWEN3_8B,
    ranks: 1,
    activation: 1.4,
    graphs: 0.54,
    nonTorch: 0.03,
  },
  {
    name: "Qwen2.5-0.5B on 16 GB, 0.90",
    shape: QWEN25_05B,
    ranks: 1,
    activation: 1.06,
    graphs: 0.4,
    nonTorch: 0.07,
  },
  {
    name: "Qwen3-235B-A22B FP8 on four L40S, 0.90",
    shape: QWEN3_235B,
    ranks: 4,
    activation: 1.4,
    graphs: 3.45,
    nonTorch: 0.21,
  },
];

const settings = (ranks: number): EngineSettings => ({
  contextTokens: 32_768,
  parallel: 256,
  kvKeyType: "bf16",
  kvValueType: "bf16",
  kvOnHost: false,
  kvUnified: true,
  tensorParallel: ranks,
  pipelineParallel: 1,
  gpuLayers: 99,
  cpuExpertLayers: 0,
  batchTokens: 2048,
  microBatchTokens: 2048,
  flashAttention: true,
  cudaGraphs: true,
  threads: 1,
});

describe("vllmProfile beside what running engines logged", () => {
  it.each(RUNS)("$name", ({ shape, ranks, activation, graphs, nonTorch }) => {
    const [stage] = pipelineStages(shape, 1);
    if (stage === undefined) throw new Error("no stage");
    const card = { name: "gpu", total: 48 * GIB, free: 47 * GIB };
    const parts = vllmProfile({ shape, stage, settings: settings(ranks), card, wishes: {} });
    const bytes = (name: string): number => parts.find((part) => part.name === name)?.bytes ?? 0;
    const computed = termBytes(parts, "compute") / GIB;
    expect(Math.abs(computed - activation) / activation).toBeLessThan(0.2);
    expect(Math.abs(bytes("CUDA graphs") / GIB - graphs) / graphs).toBeLessThan(0.2);
    expect(Math.abs(bytes("libraries") / GIB - nonTorch)).toBeLessThan(0.13);
    expect(bytes("NCCL") > 0).toBe(ranks > 1);
  });
});
