import type { SparseModel } from "../sparse-gguf.ts";
import { attention, blocks, common, ends, feedForward, heads, norm, rmsEpsilon, weight } from "./parts.ts";

const attends = (index: number): boolean => [2, 5, 8, 10, 12, 14].includes(index);

/** LFM2 1.2B: short convolutions with a few attention layers between them; tied. */
export function lfm2(type: string): SparseModel {
  const width = 2048;
  const of = { layers: 16, width, vocabulary: 65_536, context: 128_000 };
  return {
    architecture: "lfm2",
    metadata: {
      ...common(of),
      ...heads({
        query: 32,
        keyValue: Array.from({ length: of.layers }, (_, index) => (attends(index) ? 8 : 0)),
        length: 64,
      }),
      ...rmsEpsilon,
      "shortconv.l_cache": 3,
      feed_forward_length: 8192,
    },
    tensors: [
      ...ends(width, of.vocabulary, { embedding: type }).map((tensor) =>
        tensor.name === "output_norm.weight" ? { ...tensor, name: "token_embd_norm.weight" } : tensor,
      ),
      ...blocks(of.layers, (index, name) => [
        norm(name("attn_norm"), width),
        norm(name("ffn_norm"), width),
        ...feedForward(name, type, width, 8192),
        ...(attends(index)
          ? attention(name, { type, width, query: 32, keyValue: 8, length: 64, norms: true })
          : [
              weight(name("shortconv.conv"), "F32", 3, width),
              weight(name("shortconv.in_proj"), type, width, 3 * width),
              weight(name("shortconv.out_proj"), type, width, width),
            ]),
      ]),
    ],
  };
}
