import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as model from "../../../test/fakes/hugging-face-model.ts";
import { writeModelFolder, writtenBytes } from "../../../test/fakes/safetensors-writer.ts";
import type { WrittenTensor } from "../../../test/fakes/safetensors-writer.ts";
import { findModelFamily } from "../../catalog/index.ts";
import { declaredDimensions, describedShape, readModelFolder } from "../index.ts";
import type { ModelShape } from "../index.ts";
import { readHuggingFaceShape } from "./hugging-face-shape.ts";
import { folderFiles } from "./model-files.ts";

let root: string;
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "omni-tensors-"));
});
afterAll(() => rm(root, { recursive: true }));

/** Writes a model to a folder of its own and reads it back. */
async function read(config: unknown, tensors: readonly WrittenTensor[], files = 1): Promise<ModelShape> {
  const folder = join(root, `model-${++count}`);
  await writeModelFolder(folder, config, tensors, files);
  return readModelFolder(folder);
}
const bytesOf = (tensors: readonly WrittenTensor[]): number =>
  tensors.reduce((sum, tensor) => sum + writtenBytes(tensor), 0);

const NEMO = {
  layers: 40,
  hidden: 5120,
  heads: 32,
  kvHeads: 8,
  headLength: 128,
  feedForward: 14_336,
  vocabulary: 131_072,
} as const;
const NEMO_CONFIG = {
  architectures: ["MistralForCausalLM"],
  model_type: "mistral",
  head_dim: 128,
  hidden_size: 5120,
  intermediate_size: 14_336,
  max_position_embeddings: 131_072,
  num_attention_heads: 32,
  num_hidden_layers: 40,
  num_key_value_heads: 8,
  sliding_window: null,
  tie_word_embeddings: false,
  torch_dtype: "bfloat16",
  vocab_size: 131_072,
};
const SMALL = {
  ...NEMO,
  layers: 2,
  hidden: 256,
  heads: 4,
  kvHeads: 2,
  headLength: 64,
  feedForward: 512,
  vocabulary: 1024,
};
const SMALL_CONFIG = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  hidden_size: 256,
  intermediate_size: 512,
  max_position_embeddings: 8192,
  num_attention_heads: 4,
  num_hidden_layers: 2,
  num_key_value_heads: 2,
  vocab_size: 1024,
};

describe("a model in safetensors", () => {
  it("is the shape that the catalog computes for it", async () => {
    const family = findModelFamily("Mistral-Nemo-12B");
    if (family === undefined) throw new Error("not in the catalog");
    const known = describedShape(family.dimensions, { quantization: "bf16", origin: "catalog" });
    const { name, tensors, ...shape } = await read(NEMO_CONFIG, model.llamaTensors(NEMO), 5);
    const { tensors: _, ...expected } = known;
    expect(shape).toEqual({ ...expected, origin: "file", fileBytes: shape.fileBytes });
    expect(shape.parameters).toBe(12_247_782_400);
    expect(shape.fileBytes).toBeGreaterThan(shape.weightBytes);
    expect([name, tensors?.length]).toEqual([`model-${count}`, 3 + 40 * 9]);
  });

  const compressed = {
    quant_method: "compressed-tensors",
    format: "pack-quantized",
    config_groups: {
      group_0: { weights: { num_bits: 4, type: "int", group_size: 128 }, input_activations: null },
    },
  };
  it.each([
    ["W4A16", "w4a16", "w4a16", model.packed, compressed],
    ["GPTQ-Int4", "gptq", "w4a16-gptq", model.gptq, { quant_method: "gptq", bits: 4, group_size: 128 }],
    ["AWQ", "awq", "w4a16-awq", model.awq, { quant_method: "awq", bits: 4, group_size: 128 }],
    ["FP8", "fp8", "fp8", model.fp8, { quant_method: "fp8", weight_block_size: [128, 128] }],
    ["NVFP4", "nvfp4", "nvfp4", model.nvfp4, { quant_method: "modelopt", quant_algo: "NVFP4" }],
    ["BNB-4BIT", "bnb-4bit", "bnb-4bit", model.nf4, { quant_method: "bitsandbytes", load_in_4bit: true }],
  ])(
    "packed as %s has the parameters it has unpacked, and the bytes computed for it",
    async (name, typed, scheme, packing, quantization) => {
      const tensors = model.llamaTensors(SMALL, packing);
      const shape = await read({ ...SMALL_CONFIG, quantization_config: quantization }, tensors);
      const unpacked = await read(SMALL_CONFIG, model.llamaTensors(SMALL));
      expect(shape.parameters).toBe(unpacked.parameters);
      expect(shape.quantization).toMatchObject({ name, scheme, method: quantization.quant_method });
      expect(shape.weightBytes).toBe(bytesOf(tensors));
      const computed = describedShape(declaredDimensions(SMALL), { quantization: typed, origin: "spec" });
      // bitsandbytes writes some 80 bytes of JSON beside each of the 14 matrices, which follow from nothing.
      expect(shape.weightBytes - computed.weightBytes).toBe(scheme === "bnb-4bit" ? 14 * 80 : 0);
      expect(shape.embeddingBytes + shape.outputBytes).toBe(2 * 1024 * 256 * 2);
      expect(shape.layers.map(({ caches }) => caches)).toEqual(unpacked.layers.map(({ caches }) => caches));
    },
  );

  it("splits its bytes by what they are for", async () => {
    const widths = { ...SMALL, experts: 4 };
    const config = {
      ...SMALL_CONFIG,
      num_local_experts: 4,
      num_experts_per_tok: 2,
      moe_intermediate_size: 512,
    };
    const shape = await read(config, model.llamaTensors(widths), 3);
    const expert = 3 * 256 * 512;
    expect(shape.layers[0]?.weights).toEqual({
      attention: 2 * (256 + 2 * 256 * 256 + 2 * 128 * 256),
      feedForward: 2 * (256 + 4 * 256),
      experts: 2 * 4 * expert,
    });
    expect(shape.expertParameters).toBe(2 * 4 * expert);
    expect(shape.experts).toEqual({ count: 4, used: 2, shared: 0, feedForward: 512 });
    expect([shape.feedForward, shape.otherBytes]).toEqual([0, 512]);
  });

  it("with a tower has a projector, and its numbers one level down", async () => {
    const tensors: WrittenTensor[] = [
      ...model.llamaTensors({ ...SMALL, tied: true, prefix: "model.language_model." }),
      ["model.visual.blocks.0.attn.qkv.weight", "BF16", [96, 32]],
      ["model.visual.merger.mlp.0.weight", "BF16", [256, 32]],
    ];
    const { architectures: _, ...text } = { ...SMALL_CONFIG, model_type: "qwen3_vl_text" };
    const config = {
      architectures: ["Qwen3VLForConditionalGeneration"],
      tie_word_embeddings: true,
      text_config: text,
    };
    const shape = await read(config, tensors);
    expect(shape).toMatchObject({
      architecture: "qwen3vlforconditionalgeneration",
      tiedEmbeddings: true,
      outputBytes: 0,
      projectorBytes: 2 * (96 * 32 + 256 * 32),
      trainedContext: 8192,
    });
    expect(shape.layers).toHaveLength(2);
  });

  it("with blocks for multi-token prediction names them drafts", async () => {
    const tensors: WrittenTensor[] = [
      ...model.llamaTensors(SMALL),
      ...model.blockTensors("model.layers.2", SMALL),
      ["model.layers.2.eh_proj.weight", "BF16", [256, 512]],
    ];
    const shape = await read({ ...SMALL_CONFIG, num_nextn_predict_layers: 1 }, tensors);
    expect(shape.layers.map(({ draft = false }) => draft)).toEqual([false, false, true]);
    expect(shape.layers[2]?.caches).toEqual(shape.layers[0]?.caches);
    const qwen = [...model.llamaTensors(SMALL), ...model.blockTensors("mtp.layers.0", SMALL)];
    expect((await read(SMALL_CONFIG, qwen)).layers.at(-1)?.draft).toBe(true);
  });

  it("carries the chat template, from wherever it is kept", async () => {
    const folder = join(root, "template");
    await writeModelFolder(folder, SMALL_CONFIG, model.llamaTensors(SMALL));
    expect((await readModelFolder(folder)).chatTemplate).toBeUndefined();
    const named = [
      { name: "tool_use", template: "tools" },
      { name: "default", template: "plain" },
    ];
    await writeFile(join(folder, "tokenizer_config.json"), JSON.stringify({ chat_template: named }));
    expect((await readModelFolder(folder)).chatTemplate).toBe("plain");
    await writeFile(join(folder, "chat_template.jinja"), "newest");
    expect((await readModelFolder(folder)).chatTemplate).toBe("newest");
  });
});

describe("a damaged folder", () => {
  const written = async (name: string, files = 3): Promise<string> => {
    const folder = join(root, name);
    await writeModelFolder(folder, SMALL_CONFIG, model.llamaTensors(SMALL), files);
    return folder;
  };

  it("names the part that is missing or cut", async () => {
    const folder = await written("cut");
    const part = join(folder, "model-00002-of-00003.safetensors");
    await truncate(part, 100_000);
    await expect(readModelFolder(folder)).rejects.toThrow(/model-00002-of-00003.safetensors is incomplete/);
    await rm(part);
    await expect(readModelFolder(folder)).rejects.toThrow(/lacks 1 of the 3 files .* model-00002-of-00003/);
  });

  it("is refused where index and files disagree", async () => {
    const folder = await written("index");
    const index = join(folder, "model.safetensors.index.json");
    const moved = { "lm_head.weight": "model-00001-of-00003.safetensors" };
    await writeFile(index, JSON.stringify({ weight_map: moved }));
    await expect(readModelFolder(folder)).rejects.toThrow(
      /says that the tensor "lm_head.weight" is in model-00001/,
    );
    await writeFile(index, JSON.stringify({ weight_map: { "lm_head.weight": "../../etc/passwd" } }));
    await expect(readModelFolder(folder)).rejects.toMatchObject({ code: "model.malformed" });
    await writeFile(index, "[]");
    await expect(readModelFolder(folder)).rejects.toThrow(/no weight_map/);
  });

  it("is refused for a configuration that describes no model", async () => {
    const folder = await written("config", 1);
    const say = async (config: string): Promise<unknown> => {
      await writeFile(join(folder, "config.json"), config);
      return readHuggingFaceShape(await folderFiles(folder));
    };
    await expect(say("{}")).rejects.toMatchObject({ code: "model.unsupported" });
    await expect(say("[1]")).rejects.toMatchObject({ code: "model.malformed" });
    await expect(say("{")).rejects.toThrow(/config.json is not valid JSON/);
    await expect(say('{"num_hidden_layers": 0}')).rejects.toThrow(/claims 0 layers/);
    await expect(say('{"num_hidden_layers": 1, "hidden_size": 8}')).rejects.toMatchObject({
      code: "model.unsupported",
      message: `${folder}/config.json gives no number or width of attention heads, so what they keep of a context is not known.`,
    });
    await expect(
      say(
        '{"num_hidden_layers": 1, "hidden_size": 8, "num_attention_heads": 900000000, "head_dim": 900000000}',
      ),
    ).rejects.toThrow(/config.json claims that block 0 keeps 1620000000000000000 elements/);
    await expect(say('{"num_hidden_layers": 1000000000}')).rejects.toThrow(/claims 1000000000 layers/);
    await expect(
      say(
        '{"num_hidden_layers": 1, "hidden_size": 8, "num_attention_heads": 2, "limit": [0.0, -Infinity], "s": "NaN"}',
      ),
    ).resolves.toMatchObject({
      layers: [{}, { draft: true }],
    });
    await expect(readModelFolder(root)).rejects.toThrow(/neither safetensors nor GGUF/);
    await expect(readModelFolder(join(root, "absent"))).rejects.toMatchObject({ code: "model.not-found" });
  });

  it("is refused for a block that the model cannot have", async () => {
    const tensors = [...model.llamaTensors(SMALL), ...model.blockTensors("model.layers.99999999", SMALL)];
    await expect(read(SMALL_CONFIG, tensors)).rejects.toThrow(
      /is of block 99999999, and config.json gives 2/,
    );
  });
});
