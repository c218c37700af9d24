import { OmniError } from "../core/index.ts";
import { architectureOf, isKnownArchitecture, unknownArchitecture } from "./gguf/architecture.ts";
import { MOST_BLOCKS } from "./gguf/hyperparameters.ts";
import type { GgufHeader } from "./gguf-header.ts";
import type { GgufValue } from "./gguf-metadata.ts";

/** What running a GGUF model needs to be known, read from its header. Sizes are bytes, lengths are tokens. */
export interface ModelOutline {
  readonly path: string;
  readonly name: string | undefined;
  readonly architecture: string;
  readonly fileBytes: number;
  readonly weightBytes: number;
  readonly layers: number;
  readonly embeddingLength: number;
  readonly vocabulary: number;
  /** Longest context the model was trained with. */
  readonly trainedContext: number;
  /** Bytes of KV cache for one token over all layers, both K and V as f16. */
  readonly kvBytesPerToken: number;
  readonly chatTemplate: string | undefined;
}

const F16_BYTES = 2;

/**
 * Reads the outline out of a header. Throws `OmniError` when the architecture is not one llama.cpp loads, when the
 * file holds no weights, or when a key every model has is missing.
 */
export function outlineModel(header: GgufHeader): ModelOutline {
  const { metadata, path } = header;
  const architecture = architectureOf(header);
  if (!isKnownArchitecture(architecture)) throw unknownArchitecture(architecture, path);
  if (header.tensors.length === 0)
    throw new OmniError(
      "model.no-weights",
      `${path} holds no tensors, so it is a vocabulary and not a model.`,
    );
  const number = (key: string): number | undefined =>
    count(metadata.get(`${architecture}.${key}`), `${architecture}.${key}`, path);
  const layers = number("block_count") ?? 0;
  if (layers > MOST_BLOCKS)
    throw new OmniError(
      "model.malformed",
      `${path} claims ${layers} layers; llama.cpp reads at most ${MOST_BLOCKS}.`,
    );
  const embeddingLength = number("embedding_length") ?? 0;
  return {
    path,
    name: asText(metadata.get("general.name")),
    architecture,
    fileBytes: header.fileBytes,
    weightBytes: header.tensorBytes,
    layers,
    embeddingLength,
    vocabulary: lengthOf(metadata.get("tokenizer.ggml.tokens")),
    trainedContext: number("context_length") ?? 0,
    kvBytesPerToken: kvBytesPerToken({
      layers,
      embeddingLength,
      heads: perLayer(metadata.get(`${architecture}.attention.head_count`), layers),
      kvHeads: perLayer(metadata.get(`${architecture}.attention.head_count_kv`), layers),
      keyLength: number("attention.key_length"),
      valueLength: number("attention.value_length"),
    }),
    chatTemplate: asText(metadata.get("tokenizer.chat_template")),
  };
}

interface AttentionShape {
  readonly layers: number;
  readonly embeddingLength: number;
  readonly heads: readonly number[];
  readonly kvHeads: readonly number[];
  readonly keyLength: number | undefined;
  readonly valueLength: number | undefined;
}

/** Grouped-query attention: Σ over layers of kv_heads × (key_length + value_length) × 2 bytes. Source: llama.cpp, llama-kv-cache.cpp. */
function kvBytesPerToken(shape: AttentionShape): number {
  let values = 0;
  for (let layer = 0; layer < shape.layers; layer++) {
    const heads = shape.heads[layer] ?? 0;
    const headLength = heads === 0 ? 0 : shape.embeddingLength / heads;
    const kvHeads = shape.kvHeads[layer] ?? heads;
    values += kvHeads * ((shape.keyLength ?? headLength) + (shape.valueLength ?? headLength));
  }
  return values * F16_BYTES;
}

/** A setting given once for all layers, or as an array with one value a layer. */
function perLayer(value: GgufValue | undefined, layers: number): readonly number[] {
  if (typeof value === "number") return Array.from({ length: layers }, () => value);
  if (Array.isArray(value)) return value.map((item) => (typeof item === "number" ? item : 0));
  return [];
}

/** A length or number of things; throws `model.malformed` for anything that cannot be one. */
function count(value: GgufValue | undefined, key: string, path: string): number | undefined {
  if (value === undefined || (typeof value === "number" && Number.isInteger(value) && value >= 0))
    return value;
  // Some architectures give one value a layer where others give one for all; that is no single number.
  if (typeof value === "object") return undefined;
  throw new OmniError("model.malformed", `${path} gives ${key} the value ${String(value)}.`);
}
const asText = (value: GgufValue | undefined): string | undefined =>
  typeof value === "string" ? value : undefined;
const lengthOf = (value: GgufValue | undefined): number =>
  typeof value === "object" && "length" in value ? value.length : 0;
