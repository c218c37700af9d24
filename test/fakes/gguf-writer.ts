/** Writes GGUF files for tests, right ones and wrong ones: every count and offset can be told to lie. */
export interface GgufFile {
  readonly magic?: string;
  readonly version?: number;
  readonly metadata?: readonly (readonly [key: string, value: MetadataValue])[];
  readonly tensors?: readonly TensorSpec[];
  /** Written in place of the true counts. */
  readonly claimedTensors?: bigint;
  readonly claimedMetadata?: bigint;
  /** Bytes of tensor data really written; the default is all of it. */
  readonly dataBytes?: number;
}
interface TensorSpec {
  readonly name: string;
  readonly dimensions: readonly (number | bigint)[];
  readonly type?: number;
  readonly offset: number | bigint;
}
export type MetadataValue =
  | { readonly u32: number }
  | { readonly u64: bigint }
  | { readonly f32: number }
  | { readonly text: string }
  | { readonly texts: readonly string[] }
  | { readonly u32s: readonly number[] }
  | { readonly bools: readonly boolean[] }
  | { readonly raw: Buffer };

export function writeGguf(file: GgufFile): Buffer {
  const metadata = file.metadata ?? [];
  const tensors = file.tensors ?? [];
  const head = Buffer.concat([
    Buffer.from(file.magic ?? "GGUF", "latin1"),
    u32(file.version ?? 3),
    u64(file.claimedTensors ?? BigInt(tensors.length)),
    u64(file.claimedMetadata ?? BigInt(metadata.length)),
    ...metadata.flatMap(([key, value]) => [text(key), encode(value)]),
    ...tensors.map((tensor) =>
      Buffer.concat([
        text(tensor.name),
        u32(tensor.dimensions.length),
        ...tensor.dimensions.map((dimension) => u64(BigInt(dimension))),
        u32(tensor.type ?? 0),
        u64(BigInt(tensor.offset)),
      ]),
    ),
  ]);
  const padding = Buffer.alloc((32 - (head.length % 32)) % 32);
  return Buffer.concat([head, padding, Buffer.alloc(file.dataBytes ?? 0)]);
}

function encode(value: MetadataValue): Buffer {
  if ("u32" in value) return Buffer.concat([u32(4), u32(value.u32)]);
  if ("u64" in value) return Buffer.concat([u32(10), u64(value.u64)]);
  if ("f32" in value) {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value.f32);
    return Buffer.concat([u32(6), bytes]);
  }
  if ("text" in value) return Buffer.concat([u32(8), text(value.text)]);
  if ("texts" in value)
    return Buffer.concat([u32(9), u32(8), u64(BigInt(value.texts.length)), ...value.texts.map(text)]);
  if ("u32s" in value)
    return Buffer.concat([u32(9), u32(4), u64(BigInt(value.u32s.length)), ...value.u32s.map(u32)]);
  if ("bools" in value)
    return Buffer.concat([
      u32(9),
      u32(7),
      u64(BigInt(value.bools.length)),
      Buffer.from(value.bools.map(Number)),
    ]);
  return value.raw;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

const text = (value: string): Buffer =>
  Buffer.concat([u64(BigInt(Buffer.byteLength(value))), Buffer.from(value)]);
