import { OmniError } from "../../core/index.ts";
import type { LayerCache } from "../model-shape.ts";
import { compressedCaches, keys, keysOfWindow } from "./compressed-attention.ts";
import type { HeaderFields } from "./header-fields.ts";
import { MOST_BLOCKS } from "./hyperparameters.ts";
import type { Hyperparameters } from "./hyperparameters.ts";
import { indexerWidths, isLatent, latentCache } from "./latent-attention.ts";
import { blockKinds } from "./recurrent-blocks.ts";
import { recurrentState } from "./recurrent-state.ts";
import { slidingWindow } from "./sliding-window.ts";

/**
 * Architectures that answer in one pass and keep nothing. Source: llama_model::create_memory in llama.cpp,
 * src/llama-model.cpp, 2026-11. The encoder of T5 is not among them: llama.cpp allocates a cache that it never reads.
 */
const WITHOUT_CACHE = new Set([
  "bert",
  "dream",
  "eurobert",
  "gemma-embedding",
  "jina-bert-v2",
  "jina-bert-v3",
  "llada",
  "llada-moe",
  "modern-bert",
  "neo-bert",
  "nomic-bert",
  "nomic-bert-moe",
  "rnd1",
  "wavtokenizer-dec",
]);

/**
 * What each block keeps, exactly as llama.cpp allocates it; blocks for multi-token prediction as the draft context does.
 * Throws `OmniError` `model.malformed` when a key is missing that the architecture needs.
 */
export function blockCaches(fields: HeaderFields, model: Hyperparameters): LayerCache[][] {
  const { architecture } = fields;
  // Source: GEMMA4_ASSISTANT in create_memory: a draft model that reads the caches of its target.
  if (WITHOUT_CACHE.has(architecture) || architecture === "gemma4-assistant")
    return Array.from({ length: model.blocks }, () => []);
  if (architecture === "deepseek4") return withDraftCaches(fields, model, compressedCaches(fields, model));
  const attention = attentionCaches(fields, model);
  const kinds = blockKinds(fields, model);
  // Without heads, attention would seem to keep nothing, and any context to fit.
  if (kinds === undefined && attention.every((caches) => caches.length === 0))
    throw new OmniError(
      "model.malformed",
      `${fields.path} has no ${architecture}.attention.head_count, so what its attention keeps is not known.`,
    );
  const owners = cacheOwners(fields, model);
  const loops = architecture === "nanbeige" ? loopsOf(fields, model) : 1;
  const caches = Array.from({ length: model.blocks }, (_, block) => {
    const kind = kinds?.(block) ?? { attention: block < owners, recurrent: false };
    const once = [
      ...(kind.attention ? (attention[block] ?? []) : []),
      ...(kind.recurrent ? [recurrentState(fields, model, block)] : []),
    ];
    // Source: src/models/nanbeige.cpp: the blocks run several times, and each time has keys and values of its own.
    return Array.from({ length: loops }, () => once).flat();
  });
  return withDraftCaches(fields, model, caches);
}

/** Source: src/models/nanbeige.cpp, which allows as many layers as there may be in all. */
function loopsOf(fields: HeaderFields, { blocks }: Hyperparameters): number {
  const loops = fields.count("num_loops") ?? 1;
  if (loops >= 1 && loops * blocks <= MOST_BLOCKS) return loops;
  throw new OmniError(
    "model.malformed",
    `${fields.path} runs its ${blocks} blocks ${loops} times; llama.cpp has room for ${MOST_BLOCKS} in all.`,
  );
}

const KEEPS_DRAFT_CACHES = new Set(["bailingmoe3", "deepseek4", "nemotron_h", "nemotron_h_moe"]);

/**
 * Most architectures leave the caches of blocks for multi-token prediction to the draft context. These allocate them in the
 * main one besides, though nothing reads them there; here they lie with the last block of the main pass. Source: the
 * layer filters of llama_model::create_memory in llama.cpp, src/llama-model.cpp.
 */
function withDraftCaches(
  fields: HeaderFields,
  model: Hyperparameters,
  caches: readonly LayerCache[][],
): LayerCache[][] {
  const drafts = KEEPS_DRAFT_CACHES.has(fields.architecture) ? caches.slice(model.mainBlocks).flat() : [];
  return caches.map((own, block) => (block === model.mainBlocks - 1 ? [...own, ...drafts] : own));
}

/**
 * How many blocks from the first on have keys and values of their own; later ones read those of earlier blocks. Source:
 * n_layer_kv_from_start in llama.cpp, src/models/gemma3n.cpp (always 20) and gemma4.cpp.
 */
function cacheOwners(fields: HeaderFields, model: Hyperparameters): number {
  if (fields.architecture === "gemma3n") return 20;
  if (fields.architecture !== "gemma4") return model.blocks;
  return model.blocks - Math.min(model.blocks, fields.count("attention.shared_kv_layers") ?? 0);
}

/** Keys and values of every block, were all of them to attend. */
function attentionCaches(fields: HeaderFields, model: Hyperparameters): LayerCache[][] {
  const window = slidingWindow(fields, model);
  const latent = isLatent(fields);
  const indexers = indexerWidths(fields, model);
  return Array.from({ length: model.blocks }, (_, block) => {
    const kvHeads = model.kvHeads[block] ?? 0;
    if (kvHeads === 0) return [];
    const windowed = window !== undefined && window.blocks[block] === true;
    const indexer = indexers[block] ?? 0;
    if (latent && windowed)
      return [
        keysOfWindow(window.width, kvHeads * model.windowKeyLength),
        ...(indexer > 0 ? [keys(indexer)] : []),
      ];
    if (latent) return [latentCache(fields, model, block, indexer)];
    if (windowed)
      return [
        {
          kind: "window",
          window: window.width,
          kvHeads,
          keyLength: model.windowKeyLength,
          valueLength: model.windowValueLength,
        },
      ];
    const { keyLength, valueLength } = model;
    return [{ kind: "full", kvHeads, keyLength, valueLength }, ...blockIndexer(fields, model, block)];
  });
}

/** Indexer keys beside full keys and values. Source: llama-kv-cache-msa.cpp and llama-memory-hybrid-idx.cpp in llama.cpp, src/. */
function blockIndexer(fields: HeaderFields, model: Hyperparameters, block: number): LayerCache[] {
  const { architecture } = fields;
  if (architecture === "qwen4exp") return [keys(fields.count("attention.indexer.key_length") ?? 0)];
  if (architecture !== "minimax-m3" || block < (fields.count("leading_dense_block_count") ?? 0)) return [];
  // This cache is made like one of keys and values, so it holds a value row that nobody reads.
  const keyLength = fields.needed("attention.indexer.key_length");
  return [{ kind: "full", kvHeads: 1, keyLength, valueLength: model.valueLength }];
}
