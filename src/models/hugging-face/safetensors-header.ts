import { z } from "zod";
import { formatBytes, OmniError } from "../../core/index.ts";
import type { ByteSource } from "../byte-source.ts";
import { shown } from "../shown.ts";
import { parseJson } from "./model-json.ts";
import { repeatedKey } from "./repeated-key.ts";

export interface SafetensorsTensor {
  readonly name: string;
  readonly type: string;
  readonly dimensions: readonly number[];
  readonly bytes: number;
}

export interface SafetensorsHeader {
  /** For messages. */
  readonly name: string;
  readonly fileBytes: number;
  readonly tensors: readonly SafetensorsTensor[];
}

/** Names have some 80 characters; what they mean is found by expressions whose time grows with their length. */
const LONGEST_NAME = 512;

/** Bits of an element. Source: `Dtype` of safetensors/src/tensor.rs, 2026-11. */
const BITS: ReadonlyMap<string, number> = new Map([
  ["BOOL", 8],
  ["F4", 4],
  ["F6_E2M3", 6],
  ["F6_E3M2", 6],
  ["U8", 8],
  ["I8", 8],
  ["F8_E5M2", 8],
  ["F8_E4M3", 8],
  ["F8_E8M0", 8],
  ["F8_E4M3FNUZ", 8],
  ["F8_E5M2FNUZ", 8],
  ["I16", 16],
  ["U16", 16],
  ["F16", 16],
  ["BF16", 16],
  ["I32", 32],
  ["U32", 32],
  ["F32", 32],
  ["C64", 64],
  ["F64", 64],
  ["I64", 64],
  ["U64", 64],
]);

const LENGTH_BYTES = 8;
/**
 * The format allows 100 MB (MAX_HEADER_SIZE of safetensors/src/tensor.rs). Headers of the largest models have below 5 MB,
 * and several are held at the same time.
 */
const LONGEST_HEADER = 32 << 20;
const MOST_DIMENSIONS = 8;

const ENTRY = z.object({
  dtype: z.string().max(32),
  shape: z.array(z.int().min(0)).max(MOST_DIMENSIONS),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
});

/**
 * Reads the header of a safetensors file and nothing of its weights. Throws `OmniError` `model.malformed` for anything
 * the format forbids (a header longer than the file or 32 MiB, unknown types, ranges that overlap, leave gaps or do not
 * match their shapes, a name twice) and `model.truncated` when the file is shorter than its header says.
 * Source: https://github.com/huggingface/safetensors#format.
 */
export async function readSafetensorsHeader(source: ByteSource): Promise<SafetensorsHeader> {
  const { name, size } = source;
  if (size < LENGTH_BYTES)
    throw new OmniError(
      "model.truncated",
      `${name} has ${size} bytes; a safetensors file begins with 8 that tell the length of its header.`,
    );
  const length = Buffer.from(await source.read(0, LENGTH_BYTES)).readBigUInt64LE();
  if (length > BigInt(LONGEST_HEADER))
    throw malformed(name, `claims a header of ${length} bytes; at most ${LONGEST_HEADER} are allowed`);
  const headerBytes = Number(length);
  if (headerBytes > size - LENGTH_BYTES)
    throw new OmniError(
      "model.truncated",
      `${name} claims a header of ${formatBytes(headerBytes)} and has ${formatBytes(size)} in all.`,
    );
  const bytes = await source.read(LENGTH_BYTES, headerBytes);
  const json = parseJson(bytes, name);
  const twice = repeatedKey(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"));
  if (twice !== undefined) throw malformed(name, `has the tensor ${shown(twice)} twice`);
  const placed = entriesOf(json, name);
  checkRanges(placed, size - LENGTH_BYTES - headerBytes, name);
  return { name, fileBytes: size, tensors: placed.map(({ tensor }) => tensor) };
}

interface Placed {
  readonly tensor: SafetensorsTensor;
  readonly begin: number;
  readonly end: number;
}

function entriesOf(header: unknown, file: string): Placed[] {
  // Not zod's record, which passes over the name `__proto__`.
  if (typeof header !== "object" || header === null || Array.isArray(header))
    throw malformed(file, "has a header that is no JSON object");
  return Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, value]) => placedTensor(name, value, file));
}

function placedTensor(name: string, value: unknown, file: string): Placed {
  if (name.length > LONGEST_NAME)
    throw malformed(file, `has a tensor with a name of ${name.length} characters`);
  const entry = ENTRY.safeParse(value);
  if (!entry.success)
    throw malformed(
      file,
      `describes the tensor ${shown(name)} otherwise than by dtype, shape and data_offsets`,
    );
  const { dtype, shape, data_offsets: offsets } = entry.data;
  const bits = BITS.get(dtype);
  if (bits === undefined)
    throw malformed(file, `gives the tensor ${shown(name)} the unknown type ${shown(dtype)}`);
  const elements = shape.reduce((product, dimension) => product * dimension, 1);
  const bytes = Math.ceil((elements * bits) / 8);
  const [begin, end] = offsets;
  if (!Number.isSafeInteger(elements * bits) || end - begin !== bytes)
    throw malformed(
      file,
      `gives the tensor ${shown(name)} of shape [${shape.slice(0, 8).join(", ")}${shape.length > 8 ? ", …" : ""}] in ${dtype} the bytes ${begin} to ${end}; it has ${bytes}`,
    );
  return { tensor: { name, type: dtype, dimensions: shape, bytes }, begin, end };
}

/** The format allows no gap and no overlap: the ranges are the data, end to end. */
function checkRanges(placed: readonly Placed[], dataBytes: number, file: string): void {
  let end = 0;
  for (const { tensor, begin, end: next } of placed.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== end) {
      const what =
        begin < end ? "overlaps the one before it" : `leaves a gap of ${begin - end} bytes before it`;
      throw malformed(file, `has the tensor ${shown(tensor.name)} at byte ${begin}, which ${what}`);
    }
    end = next;
  }
  if (end > dataBytes)
    throw new OmniError(
      "model.truncated",
      `${file} is incomplete: its header describes ${formatBytes(end)} of tensors, the file has ${formatBytes(dataBytes)} (${formatBytes(end - dataBytes)} missing).`,
    );
  if (end < dataBytes) throw malformed(file, `has ${dataBytes - end} bytes that belong to no tensor`);
}

const malformed = (name: string, what: string): OmniError =>
  new OmniError("model.malformed", `${name} ${what}.`);
