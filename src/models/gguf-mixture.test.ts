import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { QUANTIZED_MIB, QUANTIZED_TO } from "../../test/fakes/llama-quantize-sizes.ts";
import { writeSparseGguf } from "../../test/fakes/sparse-gguf.ts";
import { deepseek32 } from "../../test/fakes/sparse-models/deepseek.ts";
import { llama, LLAMA_8B } from "../../test/fakes/sparse-models/llama.ts";
import { phi3 } from "../../test/fakes/sparse-models/phi3.ts";
import { qwen3, qwen3moe } from "../../test/fakes/sparse-models/qwen3.ts";
import { findModelFamily } from "../catalog/index.ts";
import { MIB } from "../core/index.ts";
import { mixtureTypes } from "./gguf-mixture.ts";
import { describedShape, readGgufShape } from "./index.ts";

describe("a computed GGUF model", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "omni-mixture-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each([
    ["Llama-3.1-8B", llama({ ...LLAMA_8B, type: "F16" })],
    ["Qwen3-4B", qwen3("F16")],
    ["Qwen3-30B-A3B", qwen3moe("F16")],
    ["DeepSeek-V3.2", deepseek32("F16")],
    ["Phi-4", phi3("F16")],
  ])("of %s is what the reader finds in a file with its tensors", async (name, model) => {
    const family = findModelFamily(name);
    if (family === undefined) throw new Error(`${name} is not in the catalog`);
    const { tensors = [], ...shape } = describedShape(family.dimensions, {
      quantization: "Q4_K_M",
      origin: "catalog",
    });
    const path = writeSparseGguf(join(folder, `${name}.gguf`), { ...model, tensors });
    const { tensors: found, ...read } = await readGgufShape(path);
    expect(found).toHaveLength(tensors.length);
    expect(read).toMatchObject({
      ...shape,
      origin: "file",
      fileBytes: read.fileBytes,
      quantization: { scheme: "gguf", bitsPerWeight: shape.quantization.bitsPerWeight },
    });
  });
});

describe("mixtures of llama.cpp", () => {
  it.each(QUANTIZED_MIB)("%s has the bytes that llama-quantize announces", (name, sizes) => {
    const family = findModelFamily(name);
    if (family === undefined) throw new Error(`${name} is not in the catalog`);
    const computed = QUANTIZED_TO.map((quantization) =>
      Number((sizeOf(family.dimensions, quantization) / MIB).toFixed(2)),
    );
    expect(computed).toEqual(sizes);
  });

  it("give way where blocks do not divide a row", () => {
    const model = { architecture: "llama", layers: 1, headsPerKv: 1, experts: 0, tied: false };
    const typed = (mixture: string, row: number): string | undefined =>
      mixtureTypes(mixture, model, [{ name: "blk.0.ffn_up.weight", dimensions: [row, 64] }])[0];
    expect(["Q4_K_M", "Q5_K_S", "Q6_K", "Q2_K", "IQ2_XXS"].map((mixture) => typed(mixture, 96))).toEqual([
      "Q5_0",
      "Q5_1",
      "Q8_0",
      "Q4_0",
      "IQ4_NL",
    ]);
    expect(typed("Q4_K_M", 100)).toBe("F16");
    expect(typed("Q4_K_M", 256)).toBe("Q4_K");
  });

  it("with wide edges keep embedding and head in eight bits", () => {
    const family = findModelFamily("Qwen2.5-7B");
    if (family === undefined) throw new Error("not in the catalog");
    const [narrow, wide] = ["Q4_K_M", "Q4_K_L"].map((quantization) =>
      describedShape(family.dimensions, { quantization, origin: "catalog" }),
    );
    expect(wide?.embeddingBytes).toBe((152_064 * 3584 * 34) / 32);
    expect(wide?.outputBytes).toBe(wide?.embeddingBytes);
    expect(wide?.layers).toEqual(narrow?.layers);
  });
});

const sizeOf = (
  dimensions: Parameters<typeof describedShape>[0],
  quantization: (typeof QUANTIZED_TO)[number],
): number => describedShape(dimensions, { quantization, format: "gguf", origin: "catalog" }).weightBytes;
