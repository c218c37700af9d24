import { OmniError } from "../../core/index.ts";
import { checkCaches } from "../check-caches.ts";
import type { GgufHeader, GgufTensor } from "../gguf-header.ts";
import type { GgufValue } from "../gguf-metadata.ts";
import type { BlockWeights, ExpertShape, LayerShape, ModelShape, TensorShape } from "../model-shape.ts";
import { displayName, shown } from "../shown.ts";
import { architectureOf, isKnownArchitecture, unknownArchitecture } from "./architecture.ts";
import { blockCaches } from "./block-caches.ts";
import { parametersOf, tensorPlace } from "./block-weights.ts";
import { bytesByType, quantizationOf } from "./file-type.ts";
import { HeaderFields } from "./header-fields.ts";
import { readHyperparameters } from "./hyperparameters.ts";
import type { Hyperparameters } from "./hyperparameters.ts";
import { joinShards } from "./shards.ts";

/**
 * Architectures for which a missing `output.weight` does not mean tied embeddings: there is no head for tokens, or it is
 * the target model's. Source: load_arch_tensors without TENSOR_DUPLICATED in llama.cpp, src/models/<name>.cpp.
 */
const WITHOUT_HEAD = /bert|^(?:eagle3|wavtokenizer-dec)$/;

/**
 * The shape of a GGUF model from the headers of all its files, in any order. Exact: bytes are those of the tensors. Throws
 * `OmniError`: `model.unknown-architecture` for one that llama.cpp does not know and whose keys tell no attention,
 * `model.no-weights` for a vocabulary or projector alone, `model.malformed`, `model.unsupported` for tensor types newer
 * than Omni's table.
 */
export function ggufShape(headers: readonly GgufHeader[], origin: "file" | "hub"): ModelShape {
  const { first, tensors } = joinShards(headers);
  const architecture = architectureOf(first);
  const fields = new HeaderFields(first, architecture);
  if (tensors.length === 0 || architecture === "clip")
    throw new OmniError("model.no-weights", `${first.path} holds no weights of a language model.`);
  checkArchitecture(fields, first);
  const model = readHyperparameters(fields, tensors);
  const weights = sumWeights(tensors, model.blocks);
  const shapes = tensors.map((tensor) => shapeOf(tensor, first.path));
  const weightBytes = shapes.reduce((sum, tensor) => sum + tensor.bytes, 0);
  const tied = weights.output === 0 && weights.embedding > 0 && !WITHOUT_HEAD.test(architecture);
  const parameters = tensors.reduce((sum, tensor) => sum + parametersOf(tensor), 0);
  const text = (key: string): string | undefined => asText(first.metadata.get(key));
  const name = displayName(text("general.name") ?? "");
  const chatTemplate = text("tokenizer.chat_template");
  const experts = expertsOf(fields, model, tensors);
  const fileType = first.metadata.get("general.file_type");
  return {
    ...(name === undefined ? {} : { name }),
    architecture,
    format: "gguf",
    origin,
    parameters,
    expertParameters: weights.expertParameters,
    weightBytes,
    fileBytes: headers.reduce((sum, header) => sum + header.fileBytes, 0),
    quantization: quantizationOf(
      typeof fileType === "number" ? fileType : undefined,
      bytesByType(headers),
      parameters,
    ),
    embeddingBytes: weights.embedding,
    outputBytes: weights.output,
    tiedEmbeddings: tied,
    otherBytes: weights.other,
    layers: layersOf(fields, model, weights.blocks),
    ...attentionOf(fields, model, tensors),
    vocabulary: vocabularyOf(fields, first, tensors),
    trainedContext: fields.count("context_length") ?? 0,
    ...(experts === undefined ? {} : { experts }),
    projectorBytes: 0,
    ...(chatTemplate === undefined ? {} : { chatTemplate }),
    tensors: shapes,
  };
}

/**
 * An architecture that llama.cpp of this release does not know is read as grouped-query attention in every block, when the
 * keys for that are there: newer releases and forks use the same names.
 */
function checkArchitecture(fields: HeaderFields, header: GgufHeader): void {
  const { architecture } = fields;
  if (isKnownArchitecture(architecture)) return;
  const isGeneric =
    fields.count("block_count") !== undefined &&
    fields.count("embedding_length") !== undefined &&
    header.metadata.has(`${architecture}.attention.head_count`) &&
    header.metadata.has(`${architecture}.attention.head_count_kv`);
  const isSpecial = [...header.metadata.keys()].some((key) =>
    SPECIAL.test(key.slice(architecture.length + 1)),
  );
  if (isGeneric && !isSpecial) return;
  const why = isSpecial ? "keys for attention of a special kind" : "no keys for grouped-query attention";
  throw unknownArchitecture(architecture, header.path, `, and has ${why}`);
}

/** Keys of caches that no generic reading could tell. */
const SPECIAL =
  /^(?:ssm\.|wkv\.|kda\.|shortconv\.|attention\.(?:sliding_window|kv_lora_rank|indexer|recurrent))/;

interface Weights {
  readonly blocks: readonly BlockWeights[];
  readonly embedding: number;
  readonly output: number;
  readonly other: number;
  readonly expertParameters: number;
}

function sumWeights(tensors: readonly GgufTensor[], count: number): Weights {
  const blocks = Array.from({ length: count }, () => ({ attention: 0, feedForward: 0, experts: 0 }));
  const outside = { embedding: 0, output: 0, other: 0, expertParameters: 0 };
  for (const tensor of tensors) {
    const place = tensorPlace(tensor.name);
    const block = place.kind === "block" ? blocks[place.block] : undefined;
    if (place.kind === "block" && block !== undefined) block[place.part] += tensor.bytes;
    else outside[place.kind === "block" ? "other" : place.kind] += tensor.bytes;
    if (place.kind === "block" && place.part === "experts") outside.expertParameters += parametersOf(tensor);
  }
  return { blocks, ...outside };
}

function layersOf(
  fields: HeaderFields,
  model: Hyperparameters,
  weights: readonly BlockWeights[],
): LayerShape[] {
  const caches = blockCaches(fields, model);
  checkCaches(caches, fields.path);
  const layers = weights.map((block, index): LayerShape => {
    const layer = { weights: block, caches: caches[index] ?? [] };
    return index < model.mainBlocks ? layer : { ...layer, draft: true };
  });
  if (fields.architecture !== "graniteswitch") return layers;
  // Source: src/models/granite-switch.cpp: one more layer of a single head, which tells the adapters apart.
  const { keyLength, valueLength } = model;
  const router: LayerShape = {
    weights: { attention: 0, feedForward: 0, experts: 0 },
    caches: [{ kind: "full", kvHeads: 1, keyLength, valueLength }],
  };
  return [...layers, router];
}

function attentionOf(
  fields: HeaderFields,
  model: Hyperparameters,
  tensors: readonly GgufTensor[],
): Pick<ModelShape, "hidden" | "heads" | "kvHeads" | "headLength" | "feedForward"> {
  const dense = tensors.filter(({ name }) => /^(?:enc\.|dec\.)?blk\.\d{1,4}\.ffn_down\.weight$/.test(name));
  const hasExperts = tensors.some(({ name }) => /\.ffn_down_(?:ch|)exps/.test(name));
  const widths = dense.map(({ dimensions }) => dimensions[0] ?? 0);
  const latentKey = fields.count("attention.key_length_mla") ?? 0;
  return {
    hidden: model.hidden,
    heads: Math.max(...model.heads),
    kvHeads: Math.max(...model.kvHeads),
    headLength: latentKey > 0 ? latentKey : Math.max(model.keyLength, model.windowKeyLength),
    feedForward: Math.max(0, ...(dense.length === 0 && !hasExperts ? model.feedForward : widths)),
  };
}

function expertsOf(
  fields: HeaderFields,
  model: Hyperparameters,
  tensors: readonly GgufTensor[],
): ExpertShape | undefined {
  const count = fields.count("expert_count") ?? 0;
  if (count === 0) return undefined;
  const most = (key: string): number => Math.max(0, ...(fields.perLayer(key, model.blocks) ?? []));
  const hasShared = tensors.some(({ name }) => name.includes("_shexp."));
  return {
    count,
    used: most("expert_used_count"),
    shared: fields.count("expert_shared_count") ?? (hasShared ? 1 : 0),
    feedForward: most("expert_feed_forward_length") || most("feed_forward_length"),
  };
}

function vocabularyOf(fields: HeaderFields, header: GgufHeader, tensors: readonly GgufTensor[]): number {
  const embedding = tensors.find(({ name }) => name === "token_embd.weight");
  const tokens = header.metadata.get("tokenizer.ggml.tokens");
  const listed = typeof tokens === "object" && "length" in tokens ? tokens.length : undefined;
  return embedding?.dimensions[1] ?? listed ?? fields.count("vocab_size") ?? 0;
}

function shapeOf({ name, type, dimensions, bytes }: GgufTensor, path: string): TensorShape {
  if (type !== undefined) return { name, type, dimensions, bytes };
  throw new OmniError(
    "model.unsupported",
    `Tensor ${shown(name)} of ${path} has a type that this version does not know, so its size is not known either.`,
  );
}

const asText = (value: GgufValue | undefined): string | undefined =>
  typeof value === "string" ? value : undefined;
