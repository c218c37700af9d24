import { describe, expect, it } from "vitest";
import { sparseShape } from "../../test/fakes/sparse-gguf.ts";
import { deepseek32 } from "../../test/fakes/sparse-models/deepseek.ts";
import { gemma3, gemma4 } from "../../test/fakes/sparse-models/gemma.ts";
import { llama, LLAMA_70B } from "../../test/fakes/sparse-models/llama.ts";
import { codestralMamba } from "../../test/fakes/sparse-models/mamba.ts";
import { qwen3 } from "../../test/fakes/sparse-models/qwen3.ts";
import { qwen35 } from "../../test/fakes/sparse-models/qwen35.ts";
import { MIB } from "../core/index.ts";
import type { ModelShape } from "../models/model-shape.ts";
import { llamaCpp } from "./llama-cpp.ts";
import { settings } from "./llama-cpp.fixture.ts";
import type { EngineSettings, KvPrediction } from "./memory-model.ts";

const kv = (shape: ModelShape, changes: Partial<EngineSettings> = {}): KvPrediction =>
  llamaCpp.predict(shape, settings(changes), []).kv;
const mib = (shape: ModelShape, changes: Partial<EngineSettings> = {}): number =>
  Math.round(kv(shape, changes).bytes / MIB);

const llama70 = await sparseShape(llama(LLAMA_70B));
const gemma = await sparseShape(gemma3("Q4_K"));

describe("bytes of a token", () => {
  it("are those that follow from heads, latents and layers with attention", async () => {
    expect(kv(llama70).bytesPerToken).toBe(327_680);
    expect(kv(await sparseShape(qwen3("Q4_K"))).bytesPerToken).toBe(147_456);
    expect(kv(await sparseShape(qwen35("Q4_K"))).bytesPerToken).toBe(32_768);
    // One latent of 576 elements over 61 layers, and 128 elements of indexer keys.
    expect(kv(await sparseShape(deepseek32("Q4_K"))).bytesPerToken).toBe(70_272 + 15_616);
  });

  it("of packed types count whole blocks", () => {
    expect(kv(llama70, { kvKeyType: "q8_0", kvValueType: "q8_0" }).bytesPerToken).toBe(327_680 * (34 / 64));
    expect(kv(llama70, { kvKeyType: "q4_0", kvValueType: "q4_0" }).bytesPerToken).toBe(327_680 * (18 / 64));
    expect(kv(llama70, { kvKeyType: "q5_1", kvValueType: "q5_1" }).type).toBe("q5_1");
  });
});

// Numbers below were reported by llama-fit-params and llama-server of llama.cpp v0.5.0 for the same headers.
describe("the whole cache", () => {
  it("is a multiple of 256 cells, for each request or for all", () => {
    expect(kv(llama70, { contextTokens: 1000 }).tokens).toBe(1024);
    expect(kv(llama70, { contextTokens: 1000, parallel: 4 }).tokens).toBe(4096);
    expect(kv(llama70, { contextTokens: 1000, parallel: 4, kvUnified: true }).tokens).toBe(1024);
  });

  it("of a sliding window does not grow with the context", () => {
    expect(mib(gemma)).toBe(992);
    expect(mib(gemma, { contextTokens: 65_536 })).toBe(4576);
    const q8 = { kvKeyType: "q8_0", kvValueType: "q8_0" } as const;
    expect(mib(gemma, { parallel: 4, ...q8 })).toBe(2108);
  });

  it("of a state grows with requests and not with tokens", async () => {
    const mamba = await sparseShape(codestralMamba("Q8_0"));
    expect(kv(mamba).bytes).toBe(kv(mamba, { contextTokens: 131_072 }).bytes);
    expect(kv(mamba, { parallel: 4 }).bytes).toBe(4 * kv(mamba).bytes);
    expect(mib(mamba, { parallel: 4 })).toBe(1054);
    expect(kv(mamba).bytesPerToken).toBe(0);
  });

  it("of Qwen3.5 9B is a quarter of the layers and their states, without the block for token prediction", async () => {
    const qwen = await sparseShape(qwen35("Q4_K"));
    expect(mib(qwen)).toBe(306);
    expect(mib(qwen, { contextTokens: 131_072 })).toBe(4146);
    expect(mib(qwen, { parallel: 4 })).toBe(1225);
  });

  it("is shared by the last layers of Gemma 4, and padded without flash attention", async () => {
    const gemma4b = await sparseShape(gemma4("Q4_K"));
    expect(mib(gemma4b)).toBe(168);
    expect(mib(gemma4b, { flashAttention: false })).toBe(188);
  });
});
