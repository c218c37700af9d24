import type { ByteSource } from "../../src/models/byte-source.ts";
import { GGML_TYPES } from "../../src/models/ggml-types.ts";
import { writeGguf } from "./gguf-writer.ts";
import type { MetadataValue } from "./gguf-writer.ts";

/** A tensor as name, dimensions and ggml type (`F16` unless given). */
export type SparseTensor = readonly [name: string, dimensions: readonly number[], type?: string];

export interface SparseModel {
  readonly architecture: string;
  /** Keys of the architecture: numbers as u32, lists of numbers or flags as arrays. */
  readonly keys?: Readonly<Record<string, number | readonly number[] | readonly boolean[]>>;
  /** Whole keys. */
  readonly metadata?: readonly (readonly [key: string, value: MetadataValue])[];
  readonly tensors?: readonly SparseTensor[];
}

const ALIGNMENT = 32;
const NUMBERS = new Map([...GGML_TYPES].map(([number, { name }]) => [name, number]));

/** The header of a model of any size, and how many bytes of weights it promises. */
export function sparseHeader(model: SparseModel): { readonly header: Buffer; readonly dataBytes: number } {
  let offset = 0;
  const tensors = (model.tensors ?? [["token_embd.weight", [8, 4]]]).map(
    ([name, dimensions, type = "F16"]) => {
      const number = NUMBERS.get(type) ?? 0;
      const { block = 1, bytes = 0 } = GGML_TYPES.get(number) ?? {};
      const tensor = { name, dimensions, type: number, offset };
      const values = dimensions.reduce((product, dimension) => product * dimension, 1);
      offset += Math.ceil(((values / block) * bytes) / ALIGNMENT) * ALIGNMENT;
      return tensor;
    },
  );
  const keys = Object.entries({ context_length: 4096, embedding_length: 64, ...model.keys });
  const header = writeGguf({
    metadata: [
      ["general.architecture", { text: model.architecture }],
      ...keys.map(([key, value]) => [`${model.architecture}.${key}`, encoded(value)] as const),
      ...(model.metadata ?? []),
    ],
    tensors,
  });
  return { header, dataBytes: offset };
}

/** A model whose weights are not there but counted: 400 GB cost a few kilobytes. */
export function sparseSource(model: SparseModel, name = `${model.architecture}.gguf`): ByteSource {
  const { header, dataBytes } = sparseHeader(model);
  return bytesSource(header, name, header.length + dataBytes);
}

/** Bytes in memory as a source, followed by zeros up to `size`. */
export const bytesSource = (bytes: Buffer, name: string, size = bytes.length): ByteSource => ({
  name,
  size,
  read: (offset, length) => {
    const read = Buffer.alloc(length);
    bytes.copy(read, 0, offset, offset + length);
    return Promise.resolve(read);
  },
  close: () => Promise.resolve(),
});

function encoded(value: number | readonly number[] | readonly boolean[]): MetadataValue {
  if (typeof value === "number") return { u32: value };
  return value.every((flag) => typeof flag === "boolean") ? { bools: value } : { u32s: value.map(Number) };
}
