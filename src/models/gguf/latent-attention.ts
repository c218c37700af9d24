import type { LayerCache } from "../model-shape.ts";
import type { HeaderFields } from "./header-fields.ts";
import type { Hyperparameters } from "./hyperparameters.ts";

/** Architectures whose files may hold MLA in the absorbed form. Source: n_embd_head_k_mla_impl in llama.cpp, src/models/*.cpp. */
const ARCHITECTURES = new Set([
  "bailingmoe3",
  "deepseek2",
  "deepseek32",
  "dots3note",
  "glm-dsa",
  "hy_v4",
  "kimi-k3",
  "kimi-linear",
  "mistral4",
]);

/**
 * Whether the latent of MLA is kept in place of keys and values: files converted since 2025 name `key_length_mla`. Older
 * ones of DeepSeek-V2 and V3 do not, and llama.cpp keeps their full keys and values. Source: llama_hparams::is_mla.
 */
export const isLatent = (fields: HeaderFields): boolean =>
  ARCHITECTURES.has(fields.architecture) && (fields.count("attention.key_length_mla") ?? 0) > 0;

/**
 * The latent of one block: llama.cpp keeps `key_length` elements for each KV head (there is one), and no values. Source:
 * has_v in llama.cpp, src/llama-kv-cache.cpp.
 */
export function latentCache(
  fields: HeaderFields,
  model: Hyperparameters,
  block: number,
  indexer: number,
): LayerCache {
  const elements = model.keyLength * (model.kvHeads[block] ?? 0);
  const rank = Math.min(fields.needed("attention.kv_lora_rank"), elements);
  return { kind: "latent", rank, rope: elements - rank, indexer };
}

/**
 * Width of the keys of the lightning indexer (DSA) in each block, 0 where a block has none: shared indexers of GLM-5.2 and
 * Hy-4 keep no keys of their own. Source: llama_model::create_memory in llama.cpp, src/llama-model.cpp;
 * GLM_5_2_DEFAULT_INDEXER_TYPES in src/models/glm-dsa.cpp.
 */
export function indexerWidths(fields: HeaderFields, model: Hyperparameters): readonly number[] {
  const { architecture } = fields;
  const every = (width: (block: number) => number): number[] =>
    Array.from({ length: model.blocks }, (_, block) => (block < model.mainBlocks ? width(block) : 0));
  if (!INDEXED.has(architecture)) return every(() => 0);
  const optional = architecture === "hy_v4" && (fields.count("attention.indexer.top_k") ?? 0) === 0;
  if (optional) return every(() => 0);
  const width = fields.needed("attention.indexer.key_length");
  const listed = fields.perLayer("attention.indexer.types", model.blocks);
  if (architecture === "deepseek32") return every(() => width);
  if (listed !== undefined) return every((block) => (listed[block] === 0 ? 0 : width));
  if (architecture !== "glm-dsa") return every(() => 0);
  const isGlm52 = fields.needed("context_length") >= GLM_5_2_CONTEXT;
  return every((block) => (!isGlm52 || block < 2 || (block - 2) % 4 === 0 ? width : 0));
}

const INDEXED = new Set(["deepseek32", "dots3note", "glm-dsa", "hy_v4"]);
const GLM_5_2_CONTEXT = 1_048_576;
