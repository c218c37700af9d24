import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gptq, llamaTensors, plain } from "../../../test/fakes/hugging-face-model.ts";
import { safetensorsHeader, writtenBytes } from "../../../test/fakes/safetensors-writer.ts";
import type { WrittenTensor } from "../../../test/fakes/safetensors-writer.ts";
import { OmniError } from "../../core/index.ts";
import type { ModelShape } from "../model-shape.ts";
import { readHuggingFaceShape } from "./hugging-face-shape.ts";
import type { ModelFiles } from "./model-files.ts";

/** A model in memory; the data behind a header are zeros that nobody reads. */
function filesOf(config: string, tensors: readonly WrittenTensor[]): ModelFiles {
  const header = safetensorsHeader(tensors);
  const data = tensors.reduce((sum, tensor) => sum + writtenBytes(tensor), 0);
  const contents = new Map([
    ["config.json", { bytes: Buffer.from(config), size: Buffer.byteLength(config) }],
    ["model.safetensors", { bytes: header, size: header.length + data }],
  ]);
  return {
    name: "model",
    origin: "hub",
    list: [...contents].map(([path, { size }]) => ({ path, size })),
    open: (path) => {
      const { bytes, size } = contents.get(path) ?? { bytes: Buffer.alloc(0), size: 0 };
      return Promise.resolve({
        name: path,
        size,
        read: (offset: number, length: number) => Promise.resolve(bytes.subarray(offset, offset + length)),
        close: () => Promise.resolve(),
      });
    },
  };
}

const WIDTHS = {
  layers: 2,
  hidden: 128,
  heads: 4,
  kvHeads: 2,
  headLength: 32,
  feedForward: 256,
  vocabulary: 512,
};
const TENSORS = [llamaTensors(WIDTHS, plain), llamaTensors({ ...WIDTHS, experts: 2 }, gptq)];

/** Keys that decide anything, so that random configurations are not merely refused. */
const KEYS = (
  "num_hidden_layers hidden_size num_attention_heads num_key_value_heads head_dim intermediate_size vocab_size " +
  "kv_lora_rank qk_rope_head_dim index_head_dim indexer_types sliding_window use_sliding_window max_window_layers " +
  "sliding_window_pattern layer_types full_attention_interval num_kv_shared_layers hybrid_override_pattern " +
  "layers_block_type attn_layer_period attn_layer_offset attn_type_list linear_conv_kernel_dim linear_key_head_dim " +
  "linear_num_value_heads linear_value_head_dim mamba_num_heads mamba_head_dim ssm_state_size conv_kernel expand " +
  "conv_L_cache num_experts num_experts_per_tok model_type architectures compress_ratios block_configs text_config " +
  "quantization_config tie_word_embeddings global_head_dim hybrid_layer_pattern"
).split(" ");
const WORDS = [
  "full_attention",
  "sliding_attention",
  "mamba",
  "moe",
  "MEM*-",
  "gemma3_text",
  "falcon_h1",
  "bert",
  "x",
];

const scalar = fc.oneof(
  fc.nat(600),
  fc.constantFrom(0, 1, 2, 3, 4),
  fc.maxSafeNat(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom(...WORDS),
);
const value = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 6 }) },
  {
    weight: 1,
    arbitrary: fc.record({
      quant_method: fc.constantFrom(
        "gptq",
        "awq",
        "compressed-tensors",
        "bitsandbytes",
        "modelopt",
        "fp8",
        7,
      ),
      bits: fc.oneof(fc.integer({ min: -4, max: 20 }), fc.double()),
      config_groups: fc.dictionary(fc.string(), fc.record({ weights: fc.record({ num_bits: scalar }) }), {
        maxKeys: 2,
      }),
    }),
  },
);
const config = fc.array(fc.tuple(fc.constantFrom(...KEYS), value), { maxLength: 14 }).map((entries) => ({
  num_hidden_layers: 2,
  hidden_size: 128,
  num_attention_heads: 4,
  ...Object.fromEntries(entries),
}));

/** Every number is a whole one and not negative, but for bits a weight. */
function isSound(shape: ModelShape): boolean {
  const numbers = JSON.stringify({ ...shape, tensors: [], quantization: undefined });
  return (
    Number.isFinite(shape.quantization.bitsPerWeight) &&
    [...numbers.matchAll(/[:,[](-?[\d.eE+-]+|null)(?=[,\]}])/g)].every(
      ([, number]) => number !== "null" && Number(number) >= 0,
    )
  );
}

describe("any config.json", () => {
  it("is read into a sound shape or refused by a code", async () => {
    await fc.assert(
      fc.asyncProperty(config, fc.constantFrom(...TENSORS), async (json, tensors) => {
        const outcome = await readHuggingFaceShape(filesOf(JSON.stringify(json), tensors)).then(
          (shape) => isSound(shape) || { ...shape, tensors: [] },
          (thrown: unknown) => (thrown instanceof OmniError && thrown.code.startsWith("model.")) || thrown,
        );
        expect(outcome).toBe(true);
      }),
      { numRuns: 1000, seed: 5 },
    );
  });

  it("of any bytes is refused or read", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.json(), fc.string()), async (text) => {
        const outcome = await readHuggingFaceShape(filesOf(text, [])).then(
          () => true,
          (thrown: unknown) => thrown instanceof OmniError,
        );
        expect(outcome).toBe(true);
      }),
      { numRuns: 300, seed: 5 },
    );
  });
});
