import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GgufInsights, getLlama, readGgufFileInfo } from "node-llama-cpp";
import { describe, expect, it } from "vitest";
import { MIB } from "../../src/core/index.ts";
import { llamaCppModel } from "../../src/memory/llama-cpp.ts";
import { cards, settings } from "../../src/memory/llama-cpp.fixture.ts";
import type { DeviceMemory, EngineSettings } from "../../src/memory/memory-model.ts";
import { readGgufShape } from "../../src/models/index.ts";
import { type SparseModel, sparseShape, writeSparseGguf } from "../fakes/sparse-gguf.ts";
import { deepseek2Lite } from "../fakes/sparse-models/deepseek.ts";
import { gemma3 } from "../fakes/sparse-models/gemma.ts";
import { gptOss } from "../fakes/sparse-models/gpt-oss.ts";
import { llama, LLAMA_1B, LLAMA_70B, LLAMA_8B, MIXTRAL } from "../fakes/sparse-models/llama.ts";
import { codestralMamba } from "../fakes/sparse-models/mamba.ts";
import { qwen3moe } from "../fakes/sparse-models/qwen3.ts";
import { qwen35 } from "../fakes/sparse-models/qwen35.ts";

const batch = llamaCppModel({ outputs: "batch", process: 0, cudaProcess: 0 });
const slots = llamaCppModel({ outputs: "slots", process: 0, cudaProcess: 0 });

type Measured = readonly [weights: number, kvCache: number, compute: number];

/** MiB as `llama-fit-params -fitp on` of llama.cpp v0.5.0 cut them, the cards being RPC servers; main memory last. */
const REPORTED: readonly (readonly [
  name: string,
  model: SparseModel,
  changes: Partial<EngineSettings>,
  measured: readonly Measured[],
])[] = [
  [
    "llama 8B",
    llama(LLAMA_8B),
    {},
    [
      [4155, 1024, 258],
      [281, 0, 24],
    ],
  ],
  [
    "llama 8B, 20 layers",
    llama(LLAMA_8B),
    { gpuLayers: 20 },
    [
      [2634, 608, 258],
      [1803, 416, 124],
    ],
  ],
  [
    "llama 8B, cache on host",
    llama(LLAMA_8B),
    { kvOnHost: true },
    [
      [4155, 0, 258],
      [281, 1024, 24],
    ],
  ],
  [
    "llama 70B, two cards",
    llama(LLAMA_70B),
    { tensorSplit: [62, 19], contextTokens: 32_768 },
    [
      [28461, 7936, 408],
      [9085, 2304, 522],
      [563, 0, 160],
    ],
  ],
  [
    "mixtral, experts away",
    llama(MIXTRAL),
    { cpuExpertLayers: 12 },
    [
      [15947, 1024, 192],
      [9142, 0, 184],
    ],
  ],
  [
    "qwen3moe, three cards",
    qwen3moe("Q4_K"),
    { tensorSplit: [12, 20, 17], contextTokens: 32_768 },
    [
      [4021, 768, 228],
      [6702, 1280, 244],
      [5605, 1024, 460],
      [166, 0, 136],
    ],
  ],
  [
    "gpt-oss, 128K",
    gptOss(),
    { contextTokens: 131_072 },
    [
      [10949, 3090, 404],
      [586, 0, 140],
    ],
  ],
  [
    "gemma3, 64K",
    gemma3("Q4_K"),
    { contextTokens: 65_536 },
    [
      [6561, 4576, 519],
      [787, 0, 80],
    ],
  ],
  [
    "deepseek2 lite, 32K",
    deepseek2Lite("Q4_K"),
    { contextTokens: 32_768 },
    [
      [8964, 972, 232],
      [112, 0, 40],
    ],
  ],
  [
    "qwen3.5 9B, 128K",
    qwen35("Q4_K"),
    { contextTokens: 131_072 },
    [
      [4531, 4146, 501],
      [545, 0, 144],
    ],
  ],
  [
    "mamba2, 4 sequences",
    codestralMamba("Q8_0"),
    { parallel: 4 },
    [
      [7257, 1054, 141],
      [136, 0, 16],
    ],
  ],
];

const bufferMib = (memory: DeviceMemory): number =>
  memory.parts
    .filter(({ term, name }) => term === "compute" && name !== "output buffer")
    .reduce((sum, { bytes }) => sum + bytes, 0) / MIB;

describe("predicted beside what llama.cpp reported", () => {
  it.each(REPORTED)("%s", async (_name, model, changes, measured) => {
    const devices = cards(measured.slice(0, -1).map(() => 2 ** 40));
    const prediction = batch.predict(await sparseShape(model), settings(changes), devices);
    for (const [index, [weights, kvCache, compute]] of measured.entries()) {
      const memory = [...prediction.devices, prediction.host][index];
      if (memory === undefined) throw new Error("a device is missing");
      // llama.cpp pads each tensor, so that a value may just pass the next whole MiB.
      expect(Math.abs(memory.weights / MIB - weights - 0.5)).toBeLessThanOrEqual(0.75);
      expect(Math.abs(memory.kvCache / MIB - kvCache - 0.5)).toBeLessThanOrEqual(0.75);
      const total = weights + kvCache + compute;
      const off = memory.weights / MIB + memory.kvCache / MIB + bufferMib(memory) - total;
      expect(Math.abs(off)).toBeLessThanOrEqual(Math.max(16, 0.03 * compute));
    }
  });

  it("Qwen3.5 9B grows by what a field report measured: 768 MiB to 32K, 1024 MiB more to 64K", async () => {
    const shape = await sparseShape(qwen35("Q4_K"));
    const total = (contextTokens: number): number =>
      (batch.predict(shape, settings({ contextTokens }), cards([2 ** 40])).devices[0]?.total ?? 0) / MIB;
    expect(total(32_768) - total(8192)).toBe(768);
    expect(total(65_536) - total(32_768)).toBe(1024);
  });

  it("llama-server reserves rows of logits for its slots only", async () => {
    const shape = await sparseShape(llama(LLAMA_1B));
    const four = { parallel: 4, gpuLayers: 0 };
    const unified = slots.predict(shape, settings({ ...four, kvUnified: true }), []).host;
    const apart = slots.predict(shape, settings({ ...four, contextTokens: 2048 }), []).host;
    // From llama-server's log: model 1252.41, KV 256, compute 72.01, output 1.96; and 66.01 with four caches of 2048.
    expect(unified.weights / MIB).toBeCloseTo(1252.4, 1);
    expect(unified.kvCache / MIB).toBe(256);
    expect(bufferMib(unified)).toBeCloseTo(72, 0);
    expect(bufferMib(apart)).toBeCloseTo(66, 0);
    expect(unified.parts.find(({ name }) => name === "output buffer")?.bytes).toBe(4 * 4 * 128_256);
  });
});

describe("predicted beside what node-llama-cpp measures in this process", () => {
  it.each([
    ["llama 1B, tied", llama(LLAMA_1B), 1],
    ["llama 8B, two requests", llama(LLAMA_8B), 2],
    ["qwen3.5 9B, attention and states", qwen35("Q4_K"), 1],
  ])("%s", async (_name, model, parallel) => {
    const folder = mkdtempSync(join(tmpdir(), "omni-measured-"));
    const llama = await getLlama({ gpu: false, build: "never" });
    try {
      const path = writeSparseGguf(join(folder, "model.gguf"), model);
      const { host } = batch.predict(
        await readGgufShape(path),
        settings({ parallel, gpuLayers: 0, contextTokens: 4096, batchTokens: 512 }),
        [],
      );
      const insights = await GgufInsights.from(await readGgufFileInfo(path), llama);
      const weights = await insights.estimateModelResourceRequirementsV2({ gpuLayers: 0 });
      const context = await insights.estimateContextResourceRequirementsV2({
        contextSize: 4096,
        modelGpuLayers: 0,
        batchSize: 512,
        sequences: parallel,
        flashAttention: true,
      });
      expect(Math.abs(host.weights - weights.cpuRam) / MIB).toBeLessThan(1);
      expect(Math.abs(host.kvCache / MIB + bufferMib(host) - context.cpuRam / MIB)).toBeLessThan(16);
    } finally {
      await llama.dispose();
      rmSync(folder, { recursive: true });
    }
  });
});
