import type { LayerShape, ModelShape } from "../models/model-shape.ts";
import type { MemoryPart } from "./memory-model.ts";
import type { PipelineStage } from "./pipeline-stages.ts";

/** Rows of embedding and head are padded to this before they are divided (vLLM `DEFAULT_VOCAB_PADDING_SIZE`). */
const VOCABULARY_PADDING = 64;
/** Norms and routers stay in 16 bit under every quantization. */
const PLAIN_BYTES = 2;

/** The query's latent is three times the key-value latent in DeepSeek V3 and its kin (1 536 and 512). */
const QUERY_LATENT = 3;
/** Heads of DSA's indexer (DeepSeek-V3.2, `index_n_heads`). */
const INDEXER_HEADS = 64;

/** Vocabulary as it is divided over ranks. */
export const paddedVocabulary = (shape: ModelShape): number =>
  Math.ceil(shape.vocabulary / VOCABULARY_PADDING) * VOCABULARY_PADDING;

/**
 * Weights of one rank of a pipeline stage in engines that divide every matrix over `tensorParallel` ranks (vLLM, SGLang,
 * TensorRT-LLM), bytes by part. Repeated on every rank: norms, routers, the projections to MLA latents with the indexer
 * (`ReplicatedLinear`), key and value heads when there are fewer than ranks, and the multimodal projector. Embedding and head are divided by padded vocabulary
 * rows; the first stage holds one, the last the other, and a tied one is held twice only when these are two stages.
 */
export function rankWeights(
  shape: ModelShape,
  stage: PipelineStage,
  tensorParallel: number,
): readonly MemoryPart[] {
  const padding = shape.vocabulary === 0 ? 1 : paddedVocabulary(shape) / shape.vocabulary;
  const head = shape.tiedEmbeddings ? (stage.first ? 0 : shape.embeddingBytes) : shape.outputBytes;
  const sum = (of: (layer: LayerShape) => number): number =>
    stage.layers.reduce((total, layer) => total + of(layer), 0);
  return [
    weightPart(
      "attention",
      sum((layer) => attentionBytes(shape, layer, tensorParallel)),
    ),
    weightPart(
      "feed-forward",
      sum((layer) => feedForwardBytes(shape, layer, tensorParallel)),
    ),
    weightPart(
      "experts",
      sum((layer) => layer.weights.experts / tensorParallel),
    ),
    weightPart("embedding", stage.first ? (shape.embeddingBytes * padding) / tensorParallel : 0),
    weightPart("output head", stage.last ? (head * padding) / tensorParallel : 0),
    weightPart("norms and tables", shape.otherBytes),
    weightPart("multimodal projector", stage.first ? shape.projectorBytes : 0),
  ];
}

const weightPart = (name: string, bytes: number): MemoryPart => ({ term: "weights", name, bytes });

/** Bytes of a block's attention that stay in 16 bit whatever the scheme: its norm. */
export const plainAttentionBytes = (shape: ModelShape, layer: LayerShape): number =>
  Math.min(layer.weights.attention, shape.hidden * PLAIN_BYTES);

/** Bytes of a block's feed-forward part that stay in 16 bit whatever the scheme: its norm and router. */
export const plainFeedForwardBytes = (shape: ModelShape, layer: LayerShape): number =>
  Math.min(
    layer.weights.feedForward,
    shape.hidden * (1 + (layer.weights.experts > 0 ? (shape.experts?.count ?? 0) : 0)) * PLAIN_BYTES,
  );

function attentionBytes(shape: ModelShape, layer: LayerShape, ranks: number): number {
  const plain = plainAttentionBytes(shape, layer);
  const matrices = layer.weights.attention - plain;
  return plain + matrices * attentionShare(shape, layer, ranks);
}

function feedForwardBytes(shape: ModelShape, layer: LayerShape, ranks: number): number {
  const plain = plainFeedForwardBytes(shape, layer);
  return plain + (layer.weights.feedForward - plain) / ranks;
}

/** Share of a block's attention matrices on one rank: 1/N, and more when parts of them are repeated. */
function attentionShare(shape: ModelShape, layer: LayerShape, ranks: number): number {
  const cache = layer.caches.find((each) => each.kind !== "state");
  if (cache === undefined || ranks === 1) return 1 / ranks;
  if (cache.kind === "latent") {
    // Repeated: hidden to the latents of key-value and query, and the indexer. Divided: all that is wide by heads.
    const query = QUERY_LATENT * cache.rank;
    const indexer = cache.indexer * (INDEXER_HEADS * query + shape.hidden);
    const repeated = shape.hidden * (cache.rank + cache.rope + query) + indexer;
    const total = layer.weights.attention / Math.max(1, bytesPerParameter(shape));
    return Math.min(1, (repeated + Math.max(0, total - repeated) / ranks) / Math.max(1, total));
  }
  // Query and output are as wide as the heads, key and value as the KV heads.
  const keyValue = Math.max(1, cache.kvHeads / ranks);
  return (shape.heads / ranks + keyValue) / (shape.heads + cache.kvHeads);
}

const bytesPerParameter = (shape: ModelShape): number => shape.quantization.bitsPerWeight / 8;
