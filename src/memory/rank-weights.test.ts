import { describe, expect, it } from "vitest";
import { pipelineStages } from "./pipeline-stages.ts";
import { rankWeights } from "./rank-weights.ts";
import { DEEPSEEK_V32, inScheme, LLAMA_70B, MISTRAL_NEMO, QWEN3_4B } from "./shapes.fixture.ts";
import { partBytes } from "./terms.ts";
import { divisions, indivisible, largestDivisor } from "./tensor-division.ts";

const perStage = (shape: typeof LLAMA_70B, ranks: number, stages: number): number[] =>
  pipelineStages(shape, stages).map((stage) => partBytes(rankWeights(shape, stage, ranks)));

describe("rankWeights", () => {
  it("is the whole model on one card, tied or not", () => {
    expect(perStage(LLAMA_70B, 1, 1)).toEqual([LLAMA_70B.weightBytes]);
    expect(perStage(QWEN3_4B, 1, 1)).toEqual([QWEN3_4B.weightBytes]);
  });

  it("halves all but the norms over two ranks", () => {
    const [half] = perStage(MISTRAL_NEMO, 2, 1);
    const norms = (2 * 40 + 1) * 5120 * 2;
    expect(half).toBe((MISTRAL_NEMO.weightBytes - norms) / 2 + norms);
  });

  it("repeats key and value heads where there are fewer than ranks", () => {
    const [rank = 0] = perStage(LLAMA_70B, 16, 1);
    const even = LLAMA_70B.weightBytes / 16;
    const repeated = (80 * 2 * 8 * 128 * 8192 * 2) / 16;
    expect(rank).toBeGreaterThan(even + repeated);
    expect(rank).toBeLessThan(even + repeated + 80 * 4 * 8192 * 2);
  });

  it("gives the embedding to the first stage and the head to the last, and a tied one to both", () => {
    const table = LLAMA_70B.embeddingBytes;
    const [first = 0, last = 0] = perStage(LLAMA_70B, 1, 2);
    expect(first).toBe(last);
    expect(first + last).toBe(LLAMA_70B.weightBytes + LLAMA_70B.otherBytes);
    const tied = perStage(QWEN3_4B, 1, 2);
    expect((tied[0] ?? 0) + (tied[1] ?? 0)).toBe(
      QWEN3_4B.weightBytes + QWEN3_4B.embeddingBytes + QWEN3_4B.otherBytes,
    );
    expect(table).toBe(LLAMA_70B.outputBytes);
  });

  it("gives left-over layers to the stages before the last", () => {
    expect(pipelineStages(DEEPSEEK_V32, 4).map((stage) => stage.layers.length)).toEqual([15, 15, 16, 15]);
    expect(pipelineStages(LLAMA_70B, 3).map((stage) => stage.layers.length)).toEqual([27, 27, 26]);
  });
});

describe("rescaleShape", () => {
  it("gives the sizes that published checkpoints have", () => {
    expect(inScheme(LLAMA_70B, "w4a16").weightBytes / 1e9).toBeCloseTo(39.5, 1);
    expect(inScheme(MISTRAL_NEMO, "w4a16").weightBytes / 1e9).toBeCloseTo(8.31, 2);
    expect(inScheme(MISTRAL_NEMO, "fp8").weightBytes / 1e9).toBeCloseTo(13.59, 2);
  });

  it("comes back to where it started", () => {
    const back = inScheme(inScheme(LLAMA_70B, "w4a16"), "bf16");
    expect(Math.abs(back.weightBytes - LLAMA_70B.weightBytes)).toBeLessThan(1000);
    expect(back.layers[0]).toEqual(LLAMA_70B.layers[0]);
  });

  it("scales experts by their own parameters", () => {
    const four = inScheme(DEEPSEEK_V32, "w4a16");
    const experts = four.layers.reduce((sum, layer) => sum + layer.weights.experts, 0);
    expect(experts / DEEPSEEK_V32.expertParameters).toBeCloseTo(0.5 + 2 / 128, 6);
  });
});

describe("dividing a model", () => {
  it("names what cannot be divided", () => {
    expect(indivisible(LLAMA_70B, 3)).toBe("64 attention heads cannot be divided by 3 cards");
    expect(indivisible(MISTRAL_NEMO, 16)).toBeUndefined();
    expect(indivisible(inScheme(MISTRAL_NEMO, "w4a16"), 32)).toContain(
      "leave 448, which is no multiple of the quantization's 128",
    );
    expect(largestDivisor(LLAMA_70B, 6)).toBe(4);
  });

  it("spreads whole experts where their columns do not divide into blocks of FP8", () => {
    const shape = {
      ...DEEPSEEK_V32,
      experts: { count: 128, used: 8, shared: 0, feedForward: 1536 },
      quantization: { scheme: "fp8", name: "FP8", method: "fp8", bitsPerWeight: 8 } as const,
    };
    expect(indivisible(shape, 8)).toBe(
      "1536 columns of an expert over 8 cards leave 192, which is no multiple of the quantization's 128",
    );
    expect(indivisible(shape, 8, true)).toBeUndefined();
    expect(divisions(shape, 8, true)[0]).toEqual({ tensorParallel: 4, pipelineParallel: 2 });
  });

  it("splits layers over equal cards and stages over unequal ones", () => {
    expect(divisions(LLAMA_70B, 4, true)[0]).toEqual({ tensorParallel: 4, pipelineParallel: 1 });
    expect(divisions(LLAMA_70B, 4, false)[0]).toEqual({ tensorParallel: 1, pipelineParallel: 4 });
    expect(divisions(LLAMA_70B, 3, true)).toEqual([{ tensorParallel: 1, pipelineParallel: 3 }]);
  });
});

describe("MLA over eight ranks", () => {
  it("repeats latent projections and indexer, and divides what is wide by heads", () => {
    const [stage] = pipelineStages(DEEPSEEK_V32, 1);
    if (stage === undefined) throw new Error("no stage");
    const attention =
      rankWeights(DEEPSEEK_V32, stage, 8).find((part) => part.name === "attention")?.bytes ?? 0;
    const whole = DEEPSEEK_V32.layers.reduce((sum, layer) => sum + layer.weights.attention, 0);
    // 7 168 × (576 + 1 536) and the indexer's 128 × (64 × 1 536 + 7 168) of about 182 million parameters a layer.
    expect(attention / whole).toBeGreaterThan(1 / 8 + 0.1);
    expect(attention / whole).toBeLessThan(1 / 8 + 0.16);
  });
});
