import { formatBytes, OmniError } from "../core/index.ts";
import { ByteCursor, EndOfFile } from "./byte-cursor.ts";
import { openFile } from "./byte-source.ts";
import type { ByteSource } from "./byte-source.ts";
import { GGML_TYPES } from "./ggml-types.ts";
import { readMetadata } from "./gguf-metadata.ts";
import type { GgufMetadata } from "./gguf-metadata.ts";
import { shown } from "./shown.ts";

export interface GgufTensor {
  readonly name: string;
  readonly dimensions: readonly number[];
  /** Name of the ggml type, or `undefined` when it is newer than Omni's table. */
  readonly type: string | undefined;
  /** Offset in bytes from the start of the data section. */
  readonly offset: number;
  readonly bytes: number;
}

/** The head of one GGUF file: everything but the weights themselves. Sizes are bytes. */
export interface GgufHeader {
  /** Path, or URL without query. */
  readonly path: string;
  readonly version: number;
  readonly fileBytes: number;
  readonly dataOffset: number;
  readonly metadata: GgufMetadata;
  readonly tensors: readonly GgufTensor[];
  /** Sum of the tensors of this file. */
  readonly tensorBytes: number;
}

const MAGIC = 0x46554747; // "GGUF", little-endian
const SMALLEST_TENSOR_ENTRY = 8 + 4 + 8 + 4 + 8;
const SMALLEST_METADATA_ENTRY = 8 + 4 + 1;
const MOST_DIMENSIONS = 4;
/** Real models have below 10 000 tensors. */
const MOST_TENSORS = 1 << 17;

/** The same of a file of this machine. Throws `model.not-found` besides. */
export async function readGgufHeader(path: string): Promise<GgufHeader> {
  const source = await openFile(path);
  try {
    return await readGgufHeaderFrom(source);
  } finally {
    await source.close();
  }
}

/**
 * Reads and checks the header of the GGUF file in `source`. Counts and lengths are checked against the file's size
 * before anything is allocated. Throws `OmniError` with a `model.*` code for everything that llama.cpp would not load.
 * Source: the GGUF specification in ggml's docs/gguf.md, version 3.
 */
export async function readGgufHeaderFrom(source: ByteSource): Promise<GgufHeader> {
  try {
    return await readFrom(new ByteCursor(source), source.name);
  } catch (thrown) {
    if (thrown instanceof EndOfFile) {
      throw new OmniError("model.truncated", `${source.name} ends inside its own header.`, { cause: thrown });
    }
    throw thrown;
  }
}

async function readFrom(cursor: ByteCursor, path: string): Promise<GgufHeader> {
  const version = await readVersion(cursor, path);
  await cursor.need(16);
  const tensorCount = bounded(cursor.u64(), cursor, SMALLEST_TENSOR_ENTRY, "tensors", path);
  if (tensorCount > MOST_TENSORS)
    throw new OmniError("model.malformed", `${path} claims ${tensorCount} tensors; models have thousands.`);
  const metadataCount = bounded(cursor.u64(), cursor, SMALLEST_METADATA_ENTRY, "metadata entries", path);
  const metadata = await readMetadata(cursor, metadataCount, path);
  const tensors: GgufTensor[] = [];
  for (let i = 0; i < tensorCount; i++) tensors.push(await readTensor(cursor, path));
  const alignment = alignmentOf(metadata, path);
  const dataOffset = Math.ceil(cursor.offset / alignment) * alignment;
  checkTensors(tensors, { path, alignment, dataBytes: cursor.size - dataOffset, fileBytes: cursor.size });
  const tensorBytes = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  return { path, version, fileBytes: cursor.size, dataOffset, metadata, tensors, tensorBytes };
}

async function readVersion(cursor: ByteCursor, path: string): Promise<number> {
  if (cursor.size < 8)
    throw new OmniError("model.not-gguf", `${path} is no GGUF file: it has only ${cursor.size} bytes.`);
  await cursor.need(8);
  const magic = cursor.u32();
  if (magic !== MAGIC) {
    const seen = magic.toString(16).padStart(8, "0").match(/../g)?.toReversed().join(" ") ?? "";
    throw new OmniError(
      "model.not-gguf",
      `${path} is no GGUF file: it starts with the bytes ${seen}, not with 47 47 55 46 (GGUF).`,
    );
  }
  const version = cursor.u32();
  if (version === 2 || version === 3) return version;
  const what = (version & 0xffff) === 0 ? "is big-endian" : `has version ${version}`;
  throw new OmniError(
    "model.unsupported-version",
    `${path} ${what}; llama.cpp reads little-endian versions 2 and 3.`,
  );
}

function bounded(count: bigint, cursor: ByteCursor, smallest: number, what: string, path: string): number {
  if (count * BigInt(smallest) <= BigInt(cursor.size)) return Number(count);
  throw new OmniError(
    "model.malformed",
    `${path} claims ${count} ${what}, more than fit into its ${formatBytes(cursor.size)}.`,
  );
}

async function readTensor(cursor: ByteCursor, path: string): Promise<GgufTensor> {
  await cursor.need(8);
  const nameLength = cursor.u64();
  if (nameLength > 1024n)
    throw new OmniError("model.malformed", `${path} has a tensor name of ${nameLength} bytes.`);
  await cursor.need(Number(nameLength) + 4);
  const name = cursor.text(Number(nameLength));
  const rank = cursor.u32();
  if (rank > MOST_DIMENSIONS)
    throw new OmniError(
      "model.malformed",
      `Tensor ${shown(name)} of ${path} has ${rank} dimensions; at most ${MOST_DIMENSIONS} exist.`,
    );
  await cursor.need(rank * 8 + 12);
  const dimensions = Array.from({ length: rank }, () =>
    safe(cursor.u64(), `A dimension of tensor ${shown(name)}`, path),
  );
  const type = GGML_TYPES.get(cursor.u32());
  const offset = safe(cursor.u64(), `The offset of tensor ${shown(name)}`, path);
  const values = dimensions.reduce((product, dimension) => product * dimension, 1);
  const row = dimensions[0] ?? 1;
  if (type !== undefined && row % type.block !== 0) {
    throw new OmniError(
      "model.malformed",
      `Tensor ${shown(name)} of ${path} has rows of ${row} values; ${type.name} needs a multiple of ${type.block}.`,
    );
  }
  const bytes =
    type === undefined
      ? 0
      : safe(
          BigInt(Math.round((values / type.block) * type.bytes)),
          `The size of tensor ${shown(name)}`,
          path,
        );
  return { name, dimensions, type: type?.name, offset, bytes };
}

function safe(value: bigint, what: string, path: string): number {
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  throw new OmniError("model.malformed", `${what} of ${path} is ${value}, beyond any file.`);
}

function alignmentOf(metadata: GgufMetadata, path: string): number {
  const alignment = metadata.get("general.alignment") ?? 32;
  if (typeof alignment === "number" && alignment >= 1 && Number.isInteger(Math.log2(alignment)))
    return alignment;
  throw new OmniError(
    "model.malformed",
    `${path} has general.alignment ${JSON.stringify(alignment, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value))}; it must be a power of two.`,
  );
}

interface DataSection {
  readonly path: string;
  readonly alignment: number;
  readonly dataBytes: number;
  readonly fileBytes: number;
}

/** Tensors lie one after the other as the header lists them. Source: gguf_init_from_reader of llama.cpp, ggml/src/gguf.cpp. */
function checkTensors(tensors: readonly GgufTensor[], data: DataSection): void {
  const seen = new Set<string>();
  let end = 0;
  let isSizeKnown = true;
  for (const tensor of tensors) {
    const refused = (why: string): OmniError =>
      new OmniError("model.malformed", `Tensor ${shown(tensor.name)} of ${data.path} ${why}.`);
    if (seen.has(tensor.name))
      throw new OmniError("model.malformed", `${data.path} has the tensor ${shown(tensor.name)} twice.`);
    seen.add(tensor.name);
    if (tensor.offset % data.alignment !== 0)
      throw refused(`starts at ${tensor.offset}, off the alignment of ${data.alignment}`);
    if (tensor.offset < end) throw refused("overlaps the one before it");
    const expected = Math.ceil(end / data.alignment) * data.alignment;
    if (isSizeKnown && tensor.offset !== expected)
      throw refused(
        `starts at ${tensor.offset}; after the one before it llama.cpp expects it at ${expected}`,
      );
    end = tensor.offset + tensor.bytes;
    isSizeKnown = tensor.type !== undefined;
  }
  // A vocabulary, or the first part of a model whose parts were split so, may end without the padding before the data.
  if (tensors.length === 0 || end <= data.dataBytes) return;
  const missing = end - data.dataBytes;
  throw new OmniError(
    "model.truncated",
    `${data.path} is incomplete: its header describes ${formatBytes(data.fileBytes + missing)}, the file has ${formatBytes(data.fileBytes)} (${formatBytes(missing)} missing).`,
  );
}
