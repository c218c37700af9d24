/**
 * Writes a tiny GGUF model of the llama architecture: a byte vocabulary with a few special tokens and deterministic
 * random weights. It babbles, but it is a real model that real llama.cpp loads within milliseconds.
 */
import { writeFileSync } from "node:fs";

export interface TinyGgufOptions {
  readonly architecture?: string;
  /** `null` leaves the key out. */
  readonly chatTemplate?: string | null;
  /** Texts of further control tokens, after the 256 bytes and the three of ChatML. */
  readonly controlTokens?: readonly string[];
  /** `sentencepiece`: the vocabulary of Llama 2's kind, with `▁` for spaces and byte tokens; control tokens are ignored. */
  readonly tokenizer?: "bytes" | "sentencepiece";
  /** Sentence pieces after those of every such model. */
  readonly pieces?: readonly string[];
  readonly embeddingLength?: number;
  readonly layers?: number;
  readonly trainedContext?: number;
  readonly seed?: number;
  /**
   * Tokens that it says in this order, over and over, whatever came before: each token once, because the last one alone
   * decides the next. Any other token is followed by the first. `embeddingLength` must be that of the vocabulary or more.
   */
  readonly script?: readonly number[];
  /** Cuts so many bytes off the end. */
  readonly cut?: number;
  /** Overrides the first four bytes. */
  readonly magic?: string;
  readonly version?: number;
  /** Leaves out the tensor with this name. */
  readonly without?: string;
  /** Further metadata: numbers are written as u32. */
  readonly metadata?: Readonly<Record<string, string | number | boolean>>;
}

export const CHATML_TEMPLATE =
  "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

/** Token numbers of the special tokens of every tiny model. */
export const TINY_TOKENS = { endOfText: 256, start: 257, end: 258, firstControl: 259 } as const;

const U32 = 4;
const I32 = 5;
const F32 = 6;
const BOOL = 7;
const STRING = 8;
const ARRAY = 9;
const NORMAL = 1;
const UNKNOWN = 2;
const CONTROL = 3;
const BYTE = 6;
const ALIGNMENT = 32;
const HEADS = 4;

interface Tensor {
  readonly name: string;
  readonly dimensions: readonly number[];
}

/** The bytes of the model. The same options give the same bytes. */
export function tinyGguf(options: TinyGgufOptions = {}): Buffer {
  const vocabulary =
    options.tokenizer === "sentencepiece" ? sentencePieces(options.pieces) : byteVocabulary(options);
  const tokens = vocabulary.map(({ text }) => text);
  const tensors = tensorsOf(options, tokens.length).filter(({ name }) => name !== options.without);
  const out = new Writer();
  out.raw(Buffer.from(options.magic ?? "GGUF"));
  out.u32(options.version ?? 3);
  const metadata = metadataOf(options, vocabulary);
  out.u64(tensors.length);
  out.u64(metadata.length);
  for (const [key, type, write] of metadata) {
    out.string(key);
    out.u32(type);
    write(out);
  }
  let offset = 0;
  for (const tensor of tensors) {
    out.string(tensor.name);
    out.u32(tensor.dimensions.length);
    for (const dimension of tensor.dimensions) out.u64(dimension);
    out.u32(0);
    out.u64(offset);
    offset += aligned(bytesOf(tensor));
  }
  out.align();
  const random = mulberry32(options.seed ?? 1);
  for (const tensor of tensors) {
    out.raw(options.script === undefined ? weights(tensor, random) : scripted(tensor, options.script));
    out.align();
  }
  const bytes = out.bytes();
  return options.cut === undefined ? bytes : bytes.subarray(0, bytes.length - options.cut);
}

/** Writes the model to `path` and returns the path. */
export function writeTinyGguf(path: string, options: TinyGgufOptions = {}): string {
  writeFileSync(path, tinyGguf(options));
  return path;
}

type Entry = readonly [key: string, type: number, write: (out: Writer) => void];

const text = (key: string, value: string): Entry => [key, STRING, (out) => out.string(value)];
const whole = (key: string, value: number): Entry => [key, U32, (out) => out.u32(value)];

function metadataOf(options: TinyGgufOptions, vocabulary: readonly VocabularyEntry[]): Entry[] {
  const architecture = options.architecture ?? "llama";
  const width = options.embeddingLength ?? 64;
  const tokens = vocabulary.map(({ text }) => text);
  const types = vocabulary.map(({ type }) => type);
  const pieces = options.tokenizer === "sentencepiece";
  const template = options.chatTemplate === undefined ? CHATML_TEMPLATE : options.chatTemplate;
  return [
    text("general.architecture", architecture),
    text("general.name", "Tiny test model"),
    whole(`${architecture}.context_length`, options.trainedContext ?? 4096),
    whole(`${architecture}.embedding_length`, width),
    whole(`${architecture}.block_count`, options.layers ?? 2),
    whole(`${architecture}.feed_forward_length`, width * 2),
    whole(`${architecture}.attention.head_count`, HEADS),
    whole(`${architecture}.attention.head_count_kv`, HEADS),
    whole(`${architecture}.rope.dimension_count`, width / HEADS),
    whole(`${architecture}.vocab_size`, tokens.length),
    [`${architecture}.attention.layer_norm_rms_epsilon`, F32, (out) => out.f32(1e-5)],
    ...(pieces
      ? [
          text("tokenizer.ggml.model", "llama"),
          scores(vocabulary),
          whole("tokenizer.ggml.unknown_token_id", 0),
        ]
      : [text("tokenizer.ggml.model", "gpt2"), text("tokenizer.ggml.pre", "gpt-2")]),
    ["tokenizer.ggml.tokens", ARRAY, (out) => out.strings(tokens)],
    ["tokenizer.ggml.token_type", ARRAY, (out) => out.integers(types)],
    ["tokenizer.ggml.merges", ARRAY, (out) => out.strings([])],
    whole("tokenizer.ggml.bos_token_id", pieces ? 1 : TINY_TOKENS.endOfText),
    whole("tokenizer.ggml.eos_token_id", pieces ? 2 : TINY_TOKENS.end),
    ["tokenizer.ggml.add_bos_token", BOOL, (out) => out.raw(Buffer.of(pieces ? 1 : 0))],
    ...(template === null ? [] : [text("tokenizer.chat_template", template)]),
    ...Object.entries(options.metadata ?? {}).map(([key, value]): Entry => {
      if (typeof value === "string") return text(key, value);
      if (typeof value === "number") return whole(key, value);
      return [key, BOOL, (out) => out.raw(Buffer.of(value ? 1 : 0))];
    }),
  ];
}

interface VocabularyEntry {
  readonly text: string;
  readonly type: number;
}

function byteVocabulary(options: TinyGgufOptions): VocabularyEntry[] {
  const control = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", ...(options.controlTokens ?? [])];
  return [
    ...byteCharacters().map((text) => ({ text, type: NORMAL })),
    ...control.map((text) => ({ text, type: CONTROL })),
  ];
}

/** Words that a sentence-piece model knows whole; the rest it writes byte by byte. */
const PIECES = ["▁", "▁hello", "▁world", "hello", "wor", "ld", "a", "b", ":", "\n"];

function sentencePieces(more: readonly string[] = []): VocabularyEntry[] {
  const bytes = Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
  );
  return [
    { text: "<unk>", type: UNKNOWN },
    { text: "<s>", type: CONTROL },
    { text: "</s>", type: CONTROL },
    ...bytes.map((text) => ({ text, type: BYTE })),
    ...[...PIECES, ...more].map((text) => ({ text, type: NORMAL })),
  ];
}

const scores = (vocabulary: readonly VocabularyEntry[]): Entry => [
  "tokenizer.ggml.scores",
  ARRAY,
  (out) => out.floats(vocabulary.map(({ text }, i) => (text.length > 1 ? -i : -1000))),
];

function tensorsOf(options: TinyGgufOptions, vocabulary: number): Tensor[] {
  const width = options.embeddingLength ?? 64;
  const layers = Array.from({ length: options.layers ?? 2 }, (_, i) => `blk.${i}`);
  return [
    { name: "token_embd.weight", dimensions: [width, vocabulary] },
    { name: "output_norm.weight", dimensions: [width] },
    { name: "output.weight", dimensions: [width, vocabulary] },
    ...layers.flatMap((layer) => [
      { name: `${layer}.attn_norm.weight`, dimensions: [width] },
      { name: `${layer}.attn_q.weight`, dimensions: [width, width] },
      { name: `${layer}.attn_k.weight`, dimensions: [width, width] },
      { name: `${layer}.attn_v.weight`, dimensions: [width, width] },
      { name: `${layer}.attn_output.weight`, dimensions: [width, width] },
      { name: `${layer}.ffn_norm.weight`, dimensions: [width] },
      { name: `${layer}.ffn_gate.weight`, dimensions: [width, width * 2] },
      { name: `${layer}.ffn_up.weight`, dimensions: [width, width * 2] },
      { name: `${layer}.ffn_down.weight`, dimensions: [width * 2, width] },
    ]),
  ];
}

const valuesOf = (tensor: Tensor): number =>
  tensor.dimensions.reduce((product, length) => product * length, 1);
const bytesOf = (tensor: Tensor): number => valuesOf(tensor) * 4;
const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

function weights(tensor: Tensor, random: () => number): Buffer {
  const values = new Float32Array(valuesOf(tensor));
  const norm = tensor.name.endsWith("norm.weight");
  const scale = 2 / Math.sqrt(tensor.dimensions[0] ?? 1);
  for (let i = 0; i < values.length; i++) values[i] = norm ? 1 : (random() - 0.5) * 2 * scale;
  return Buffer.from(values.buffer);
}

/** Every token is a direction of its own, layers add nothing, and the output turns each into that of the next token. */
function scripted({ name, dimensions }: Tensor, script: readonly number[]): Buffer {
  const [width = 0, rows = 1] = dimensions;
  const values = new Float32Array(width * rows);
  if (name.endsWith("norm.weight")) values.fill(1);
  if (name === "token_embd.weight")
    for (let token = 0; token < rows; token++) values[token * width + token] = 1;
  if (name === "output.weight") {
    for (let token = 0; token < rows; token++) {
      const next = script[(script.indexOf(token) + 1) % script.length] ?? 0;
      values[next * width + token] = 1;
    }
  }
  return Buffer.from(values.buffer);
}

/** A small generator of numbers from 0 to 1, the same on every machine. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const printable = (byte: number): boolean =>
  (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;

/** GPT-2's printable stand-ins for the 256 bytes; token n stands for byte n. */
function byteCharacters(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
}

class Writer {
  readonly #parts: Buffer[] = [];
  #length = 0;

  raw(bytes: Buffer): void {
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }

  u32(value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    this.raw(bytes);
  }

  u64(value: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    this.raw(bytes);
  }

  f32(value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    this.raw(bytes);
  }

  string(text: string): void {
    const bytes = Buffer.from(text);
    this.u64(bytes.length);
    this.raw(bytes);
  }

  strings(texts: readonly string[]): void {
    this.u32(STRING);
    this.u64(texts.length);
    for (const text of texts) this.string(text);
  }

  integers(values: readonly number[]): void {
    this.u32(I32);
    this.u64(values.length);
    this.raw(Buffer.from(Int32Array.from(values).buffer));
  }

  floats(values: readonly number[]): void {
    this.u32(F32);
    this.u64(values.length);
    this.raw(Buffer.from(Float32Array.from(values).buffer));
  }

  align(): void {
    this.raw(Buffer.alloc(aligned(this.#length) - this.#length));
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}
