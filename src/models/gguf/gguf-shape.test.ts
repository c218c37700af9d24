import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeGguf } from "../../../test/fakes/gguf-writer.ts";
import { bytesSource, sparseSource } from "../../../test/fakes/sparse-model.ts";
import type { SparseModel, SparseTensor } from "../../../test/fakes/sparse-model.ts";
import type { ModelShape } from "../model-shape.ts";
import { readGgufShapeFrom } from "./read-gguf-shape.ts";

const shapeOf = (model: SparseModel): Promise<ModelShape> => readGgufShapeFrom([sparseSource(model)]);

/** A mixture of 8 experts with a shared one: the first block dense, the last for drafting. Hidden 256, experts of 128. */
const MIXTURE: SparseModel = {
  architecture: "deepseek2",
  keys: {
    block_count: 3,
    nextn_predict_layers: 1,
    embedding_length: 256,
    feed_forward_length: 512,
    "attention.head_count": 4,
    "attention.head_count_kv": 1,
    "attention.kv_lora_rank": 32,
    "attention.key_length": 48,
    "attention.value_length": 32,
    "attention.key_length_mla": 24,
    "attention.value_length_mla": 16,
    expert_count: 8,
    expert_used_count: 2,
    expert_shared_count: 1,
    expert_feed_forward_length: 128,
    vocab_size: 7,
  },
  metadata: [
    ["general.name", { text: "Mixture" }],
    ["general.file_type", { u32: 15 }],
    ["tokenizer.chat_template", { text: "{{ messages }}" }],
    // A tokenizer as JSON, longer than any text that is kept.
    ["tokenizer.huggingface.json", { text: "x".repeat(1_100_000) }],
    ["tokenizer.ggml.tokens", { texts: ["a", "b"] }],
  ],
  tensors: [
    ["token_embd.weight", [256, 1000], "Q4_K"], // 1000 × 144
    ["output.weight", [256, 1000], "Q6_K"], // 1000 × 210
    ["output_norm.weight", [256], "F32"], // 1024
    ["rope_freqs.weight", [64], "F32"], // 256
    ["blk.0.attn_norm.weight", [256], "F32"], // 1024
    ["blk.0.attn_kv_a_mqa.weight", [256, 48], "Q8_0"], // 48 × 272
    ["blk.0.ffn_down.weight", [512, 256], "Q4_K"], // 256 × 288
    ["blk.1.attn_output.weight", [64, 256], "F16"], // 32 768
    ["blk.1.ffn_gate_inp.weight", [256, 8], "F32"], // 8192
    ["blk.1.exp_probs_b.bias", [8], "F32"], // 32
    ["blk.1.ffn_down_shexp.weight", [256, 128], "Q8_0"], // 128 × 272
    ["blk.1.ffn_gate_exps.weight", [256, 128, 8], "Q4_K"], // 1024 × 144
    ["blk.1.ffn_down_exps.weight", [256, 128, 8], "Q6_K"], // 1024 × 210
    ["blk.1.ffn_down_exps.scale", [8], "F32"], // 32, no parameters
    ["blk.2.nextn.eh_proj.weight", [512, 256], "Q8_0"], // 256 × 544
  ],
};

describe("ggufShape", () => {
  it("sums the bytes of each block by what they are for, and the rest", async () => {
    const shape = await shapeOf(MIXTURE);
    expect(shape.layers.map((layer) => layer.weights)).toEqual([
      { attention: 1024 + 13_056, feedForward: 73_728, experts: 0 },
      { attention: 32_768, feedForward: 8192 + 32 + 34_816, experts: 147_456 + 215_040 + 32 },
      { attention: 139_264, feedForward: 0, experts: 0 },
    ]);
    expect(shape).toMatchObject({
      name: "Mixture",
      architecture: "deepseek2",
      format: "gguf",
      origin: "hub",
      embeddingBytes: 144_000,
      outputBytes: 210_000,
      tiedEmbeddings: false,
      otherBytes: 1280,
      weightBytes: 1_020_688,
      chatTemplate: "{{ messages }}",
      projectorBytes: 0,
    });
  });

  it("counts parameters, widths and experts", async () => {
    const shape = await shapeOf(MIXTURE);
    const experts = 2 * 256 * 128 * 8;
    expect(shape.expertParameters).toBe(experts + 8 - 8);
    expect(shape.parameters).toBe(
      2 * 256_000 + 256 + 64 + 256 + 12_288 + 131_072 + 16_384 + 2048 + 8 + 32_768 + experts + 131_072,
    );
    expect(shape).toMatchObject({
      hidden: 256,
      heads: 4,
      kvHeads: 1,
      headLength: 24,
      feedForward: 512,
      vocabulary: 1000,
      trainedContext: 4096,
      experts: { count: 8, used: 2, shared: 1, feedForward: 128 },
    });
    expect(shape.quantization).toEqual({
      scheme: "gguf",
      name: "Q4_K_M",
      bitsPerWeight: (1_020_688 * 8) / shape.parameters,
    });
    expect(shape.layers.map((layer) => layer.draft === true)).toEqual([false, false, true]);
    expect(shape.tensors).toHaveLength(15);
    expect(shape.tensors?.[0]).toEqual({
      name: "token_embd.weight",
      type: "Q4_K",
      dimensions: [256, 1000],
      bytes: 144_000,
    });
  });

  const LLAMA = { block_count: 1, "attention.head_count": 4 };

  it("knows tied embeddings, and encoders, which have no head to tie", async () => {
    expect(await shapeOf({ architecture: "llama", keys: LLAMA })).toMatchObject({
      tiedEmbeddings: true,
      outputBytes: 0,
      embeddingBytes: 64,
    });
    expect((await shapeOf({ architecture: "nomic-bert", keys: LLAMA })).tiedEmbeddings).toBe(false);
  });

  it("counts the embeddings of Gemma 3n's blocks as neither embedding nor block", async () => {
    const tensors: SparseTensor[] = [
      ["token_embd.weight", [64, 100]],
      ["per_layer_token_embd.weight", [256, 100]],
      ["per_layer_model_proj.weight", [64, 256]],
    ];
    const shape = await shapeOf({
      architecture: "gemma3n",
      keys: { ...LLAMA, "attention.sliding_window": 8 },
      tensors,
    });
    expect(shape).toMatchObject({ otherBytes: 51_200 + 32_768, embeddingBytes: 12_800 });
  });

  it("names the quantization by the most bytes where the file does not", async () => {
    const named = async (type: string, fileType?: number): Promise<string> => {
      const shape = await shapeOf({
        architecture: "llama",
        keys: LLAMA,
        tensors: [
          ["token_embd.weight", [256, 8], type],
          ["output_norm.weight", [256], "F32"],
        ],
        metadata: fileType === undefined ? [] : [["general.file_type", { u32: fileType }]],
      });
      return `${shape.quantization.name} ${shape.quantization.scheme}`;
    };
    expect(await named("F16")).toBe("F16 f16");
    expect(await named("BF16")).toBe("BF16 bf16");
    expect(await named("F32", 0)).toBe("F32 f32");
    expect(await named("IQ4_XS")).toBe("IQ4_XS gguf");
    expect(await named("IQ4_XS", 1024 + 30)).toBe("IQ4_XS gguf");
    expect(await named("Q5_K", 17)).toBe("Q5_K_M gguf");
    expect(await named("MXFP4", 38)).toBe("MXFP4_MOE gguf");
    // A number newer than the table
    expect(await named("Q8_0", 99)).toBe("Q8_0 gguf");
  });

  it("reads an unknown architecture as grouped-query attention when its keys tell one", async () => {
    const keys = { block_count: 2, "attention.head_count": 8, "attention.head_count_kv": 2 };
    const shape = await shapeOf({ architecture: "llama5", keys });
    const full = { kind: "full", kvHeads: 2, keyLength: 8, valueLength: 8 };
    expect(shape.layers.map((layer) => layer.caches)).toEqual([[full], [full]]);
    await expect(shapeOf({ architecture: "lama", keys: LLAMA })).rejects.toThrow(
      /nearest it knows is llama\), and has no keys for grouped-query/,
    );
    await expect(
      shapeOf({ architecture: "llama5", keys: { ...keys, "attention.sliding_window": 9 } }),
    ).rejects.toMatchObject({ code: "model.unknown-architecture" });
  });

  const wrong: readonly (readonly [name: string, model: SparseModel, code: string, message: RegExp])[] = [
    ["no blocks", { architecture: "llama" }, "model.malformed", /no llama\.block_count/],
    ["0 blocks", { architecture: "llama", keys: { block_count: 0 } }, "model.malformed", /0 layers/],
    ["513 blocks", { architecture: "llama", keys: { block_count: 513 } }, "model.malformed", /1 to 512/],
    [
      "more draft blocks than blocks",
      { architecture: "llama", keys: { ...LLAMA, nextn_predict_layers: 2 } },
      "model.malformed",
      /2 blocks for multi-token/,
    ],
    ["a projector", { architecture: "clip" }, "model.no-weights", /no weights of a language model/],
    ["a vocabulary", { architecture: "llama", keys: LLAMA, tensors: [] }, "model.no-weights", /no weights/],
    [
      "half a head",
      {
        architecture: "llama",
        keys: { block_count: 1 },
        metadata: [["llama.attention.head_count", { f32: 0.5 }]],
      },
      "model.malformed",
      /head_count the value 0\.5/,
    ],
    [
      "a part of a model",
      { architecture: "llama", keys: LLAMA, metadata: [["split.count", { u32: 3 }]] },
      "model.malformed",
      /one of 3 parts, and 1 were read/,
    ],
  ];
  it.each(wrong)("refuses %s", async (_, model, code, message) => {
    await expect(shapeOf(model)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it("refuses a tensor of a type that it does not know", async () => {
    const header = writeGguf({
      metadata: [
        ["general.architecture", { text: "llama" }],
        ["llama.block_count", { u32: 1 }],
        ["llama.embedding_length", { u32: 64 }],
      ],
      tensors: [{ name: "token_embd.weight", dimensions: [64, 4], type: 77, offset: 0 }],
      dataBytes: 512,
    });
    await expect(readGgufShapeFrom([bytesSource(header, "m")])).rejects.toMatchObject({
      code: "model.unsupported",
    });
  });
});

describe("any tensors", () => {
  const names = fc.oneof(
    fc
      .tuple(
        fc.nat(5),
        fc.constantFrom("attn_q", "ffn_down", "ffn_up_exps", "ffn_gate_inp", "ffn_down_shexp", "ssm_in", "x"),
      )
      .map(([block, name]) => `blk.${block}.${name}.weight`),
    fc.constantFrom(
      "token_embd.weight",
      "output.weight",
      "output_norm.weight",
      "position_embd.weight",
      "rope",
      "v.x",
    ),
  );
  const tensor = fc.tuple(
    names,
    fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }),
    fc.constantFrom("F32", "F16", "Q8_0", "Q4_K"),
  );
  const tensors = fc.uniqueArray(tensor, { selector: ([name]) => name, minLength: 1, maxLength: 20 });

  it("the parts of a shape add up to its bytes, and shards change nothing", async () => {
    await fc.assert(
      fc.asyncProperty(tensors, fc.nat(20), async (chosen, cut) => {
        const whole = chosen.map(([name, dims, type]): SparseTensor => [
          name,
          [dims[0] ?? 1, ...dims].map((n) => n * 256),
          type,
        ]);
        const keys = { block_count: 6, "attention.head_count": 4 };
        const shape = await shapeOf({ architecture: "llama", keys, tensors: whole });
        const inBlocks = shape.layers
          .map(({ weights }) => weights.attention + weights.feedForward + weights.experts)
          .reduce((sum, bytes) => sum + bytes, 0);
        expect(inBlocks + shape.embeddingBytes + shape.outputBytes + shape.otherBytes).toBe(
          shape.weightBytes,
        );
        expect(shape.tensors?.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(shape.weightBytes);
        expect(shape.expertParameters).toBeLessThanOrEqual(shape.parameters);
        const halves = [whole.slice(cut), whole.slice(0, cut)].map((part) =>
          sparseSource({ architecture: "llama", keys, tensors: part }),
        );
        const split = await readGgufShapeFrom(halves);
        expect({ ...split, fileBytes: 0, tensors: [] }).toEqual({ ...shape, fileBytes: 0, tensors: [] });
      }),
      { numRuns: 60 },
    );
  });
});
