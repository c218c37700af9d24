/**
 * Writes GGUF files that have a whole, real header and no data: the tensors are a hole in the file. llama.cpp reads
 * header and sizes from it as from the real model, so that its own accounting of memory can be asked without a download.
 */
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";

import { readGgufShapeFrom } from "../../src/models/gguf/read-gguf-shape.ts";
import type { ModelShape } from "../../src/models/model-shape.ts";
import { bytesSource } from "./sparse-model.ts";
import { GGML_TYPES } from "../../src/models/ggml-types.ts";

/** Whole numbers are written as u32, lists of them as i32; floats name themselves. */
export type SparseValue =
  | string
  | number
  | boolean
  | { readonly float: number }
  | readonly number[]
  | readonly boolean[]
  | { readonly floats: readonly number[] };

export interface SparseTensor {
  readonly name: string;
  readonly type: string;
  /** Elements, the contiguous dimension first. */
  readonly dimensions: readonly number[];
}

export interface SparseModel {
  readonly architecture: string;
  /** Keys without the architecture's prefix get it; keys of `general.` and `tokenizer.` stay. */
  readonly metadata: Readonly<Record<string, SparseValue>>;
  readonly tensors: readonly SparseTensor[];
}

const U32 = 4;
const I32 = 5;
const F32 = 6;
const BOOL = 7;
const STRING = 8;
const ARRAY = 9;
const ALIGNMENT = 32;
const TYPE_NUMBERS = new Map([...GGML_TYPES].map(([number, { name }]) => [name, number]));

/** Writes the model to `path` and returns the path. The file takes disk space for its header only. */
export function writeSparseGguf(path: string, model: SparseModel): string {
  const { header, bytes } = sparseGguf(model);
  const file = openSync(path, "w");
  try {
    writeSync(file, header);
    ftruncateSync(file, bytes);
  } finally {
    closeSync(file);
  }
  return path;
}

/** What Omni reads of the model, without a file. */
export function sparseShape(model: SparseModel): Promise<ModelShape> {
  const { header, bytes } = sparseGguf(model);
  return readGgufShapeFrom([bytesSource(header, `${model.architecture}.gguf`, bytes)], "file");
}

/** The header, and the length of the whole file in bytes. */
export function sparseGguf(model: SparseModel): { header: Buffer; bytes: number } {
  const metadata = Object.entries({ "general.architecture": model.architecture, ...model.metadata });
  const parts: Buffer[] = [Buffer.from("GGUF"), u32(3), u64(model.tensors.length), u64(metadata.length)];
  for (const [key, value] of metadata) {
    const whole = /^(?:general|tokenizer)\./.test(key) ? key : `${model.architecture}.${key}`;
    parts.push(text(whole), ...encoded(value));
  }
  let offset = 0;
  for (const tensor of model.tensors) {
    parts.push(text(tensor.name), u32(tensor.dimensions.length), ...tensor.dimensions.map(u64));
    parts.push(u32(typeNumber(tensor.type)), u64(offset));
    offset += padded(sparseTensorBytes(tensor));
  }
  const head = Buffer.concat(parts);
  const header = Buffer.concat([head, Buffer.alloc(padded(head.length) - head.length)]);
  return { header, bytes: header.length + offset };
}

/** Bytes of a tensor without padding. Throws when its type is unknown or its rows are no whole number of blocks. */
export function sparseTensorBytes({ name, type, dimensions }: SparseTensor): number {
  const { block, bytes } = GGML_TYPES.get(typeNumber(type)) ?? { block: 0, bytes: 0 };
  if ((dimensions[0] ?? 0) % block !== 0)
    throw new Error(`${name}: ${dimensions[0]} is no multiple of ${block}`);
  return (dimensions.reduce((product, dimension) => product * dimension, 1) / block) * bytes;
}

function typeNumber(type: string): number {
  const number = TYPE_NUMBERS.get(type);
  if (number === undefined) throw new Error(`no tensor type ${type}`);
  return number;
}

function encoded(value: SparseValue): Buffer[] {
  if (typeof value === "string") return [u32(STRING), text(value)];
  if (typeof value === "number") return [u32(U32), u32(value)];
  if (typeof value === "boolean") return [u32(BOOL), Buffer.of(value ? 1 : 0)];
  if ("float" in value) return [u32(F32), f32(value.float)];
  if ("floats" in value) return [u32(ARRAY), u32(F32), u64(value.floats.length), ...value.floats.map(f32)];
  const type = typeof value[0] === "boolean" ? BOOL : I32;
  const items = value.map((item) => (typeof item === "boolean" ? Buffer.of(item ? 1 : 0) : u32(item)));
  return [u32(ARRAY), u32(type), u64(value.length), ...items];
}

const padded = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

const text = (value: string): Buffer => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
