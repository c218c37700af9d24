import { OmniError } from "../core/index.ts";
import type { ByteCursor } from "./byte-cursor.ts";
import { shown } from "./shown.ts";

/** An array or text that was skipped because nobody plans with its contents (a vocabulary, merges, a tokenizer as JSON). */
export interface SkippedArray {
  readonly length: number;
}
export type GgufValue =
  | number
  | bigint
  | boolean
  | string
  | readonly (number | bigint | boolean | string)[]
  | SkippedArray;
export type GgufMetadata = ReadonlyMap<string, GgufValue>;

const STRING = 8;
const ARRAY = 9;
/** Bytes of each scalar type by its number in the file; strings and arrays have lengths of their own. */
const SCALAR_BYTES: ReadonlyMap<number, number> = new Map([
  [0, 1],
  [1, 1],
  [2, 2],
  [3, 2],
  [4, 4],
  [5, 4],
  [6, 4],
  [7, 1],
  [10, 8],
  [11, 8],
  [12, 8],
]);
/** Longer arrays are vocabularies; per-layer settings are far shorter. */
const LONGEST_KEPT_ARRAY = 2048;
const LONGEST_KEPT_STRING = 1 << 20;
const LONGEST_KEY = 65_535;
/** Real models have below 200 entries. */
const MOST_ENTRIES = 65_536;
/** All that is kept of one file, bytes: a hostile one must not fill the memory of the machine. */
const MOST_KEPT = 32 << 20;

/** Reads `count` key-value pairs. Throws `OmniError` `model.malformed` on anything the format forbids. */
export async function readMetadata(cursor: ByteCursor, count: number, path: string): Promise<GgufMetadata> {
  if (count > MOST_ENTRIES)
    throw new OmniError("model.malformed", `${path} claims ${count} metadata entries; models have hundreds.`);
  const metadata = new Map<string, GgufValue>();
  const kept = new Kept();
  for (let i = 0; i < count; i++) {
    const key = await readString(cursor, LONGEST_KEY, "A metadata key", path, kept);
    if (metadata.has(key))
      throw new OmniError("model.malformed", `${path} has the metadata key ${shown(key)} twice.`);
    await cursor.need(4);
    metadata.set(key, await readValue(cursor, cursor.u32(), key, path, kept));
  }
  return metadata;
}

/** Counts what is kept of one file, so that it stays bounded. */
class Kept {
  #bytes = 0;

  add(bytes: number, path: string): void {
    this.#bytes += bytes;
    if (this.#bytes <= MOST_KEPT) return;
    throw new OmniError("model.malformed", `The metadata of ${path} are more than ${MOST_KEPT} bytes.`);
  }
}

async function readValue(
  cursor: ByteCursor,
  type: number,
  key: string,
  path: string,
  kept: Kept,
): Promise<GgufValue> {
  if (type === STRING) return readText(cursor, key, path, kept);
  if (type === ARRAY) return readArray(cursor, key, path, kept);
  const bytes = SCALAR_BYTES.get(type);
  if (bytes === undefined)
    throw new OmniError("model.malformed", `${path} gives ${shown(key)} the unknown value type ${type}.`);
  await cursor.need(bytes);
  return readScalar(cursor, type);
}

function readScalar(cursor: ByteCursor, type: number): number | bigint | boolean {
  switch (type) {
    case 0:
      return cursor.u8();
    case 1:
      return cursor.i8();
    case 2:
      return cursor.u16();
    case 3:
      return cursor.i16();
    case 4:
      return cursor.u32();
    case 5:
      return cursor.i32();
    case 6:
      return cursor.f32();
    case 7:
      return cursor.u8() !== 0;
    case 10:
      return narrowed(cursor.u64());
    case 11:
      return narrowed(cursor.i64());
    default:
      return cursor.f64();
  }
}

const narrowed = (value: bigint): number | bigint =>
  value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER)
    ? Number(value)
    : value;

/** A text value; one that is longer than any template is stepped over. */
async function readText(cursor: ByteCursor, key: string, path: string, kept: Kept): Promise<GgufValue> {
  await cursor.need(8);
  const length = cursor.peekU64();
  if (length <= BigInt(LONGEST_KEPT_STRING) || length > BigInt(cursor.remaining))
    return readString(cursor, LONGEST_KEPT_STRING, `The value of ${shown(key)}`, path, kept);
  cursor.skip(8 + Number(length));
  return { length: Number(length) };
}

async function readArray(cursor: ByteCursor, key: string, path: string, kept: Kept): Promise<GgufValue> {
  await cursor.need(12);
  const type = cursor.u32();
  const length = cursor.u64();
  const scalarBytes = SCALAR_BYTES.get(type);
  const smallest = type === STRING ? 8 : scalarBytes;
  if (smallest === undefined)
    throw new OmniError(
      "model.malformed",
      `${path} gives ${shown(key)} an array of the unknown value type ${type}.`,
    );
  if (length * BigInt(smallest) > BigInt(cursor.remaining)) {
    throw new OmniError(
      "model.malformed",
      `${path} gives ${shown(key)} an array of ${length} values, more than the file holds.`,
    );
  }
  const count = Number(length);
  if (count > LONGEST_KEPT_ARRAY) {
    await skipArray(cursor, count, scalarBytes, key, path);
    return { length: count };
  }
  kept.add(count * 8, path);
  const values: (number | bigint | boolean | string)[] = [];
  for (let i = 0; i < count; i++) {
    if (scalarBytes === undefined) {
      values.push(await readString(cursor, LONGEST_KEPT_STRING, `A value of ${shown(key)}`, path, kept));
    } else {
      await cursor.need(scalarBytes);
      values.push(readScalar(cursor, type));
    }
  }
  return values;
}

async function skipArray(
  cursor: ByteCursor,
  count: number,
  scalarBytes: number | undefined,
  key: string,
  path: string,
): Promise<void> {
  if (scalarBytes !== undefined) {
    cursor.skip(count * scalarBytes);
    return;
  }
  for (let i = 0; i < count; i++) {
    // A vocabulary has a hundred thousand strings: an await for each would cost more than the reading.
    if (!cursor.has(8)) await cursor.need(8);
    const length = cursor.u64();
    if (length > BigInt(cursor.remaining))
      throw new OmniError("model.malformed", `A string of ${shown(key)} in ${path} is longer than the file.`);
    cursor.skip(Number(length));
  }
}

async function readString(
  cursor: ByteCursor,
  longest: number,
  what: string,
  path: string,
  kept: Kept,
): Promise<string> {
  await cursor.need(8);
  const length = cursor.u64();
  if (length > BigInt(Math.min(longest, cursor.remaining))) {
    throw new OmniError("model.malformed", `${what} in ${path} claims ${length} bytes.`);
  }
  kept.add(Number(length), path);
  await cursor.need(Number(length));
  return cursor.text(Number(length));
}
