import { distinctArchitectures, OmniError } from "../core/index.ts";
import type { CudaArchitecture } from "../core/index.ts";
import type { ForwardReader } from "./forward-reader.ts";

/**
 * NVIDIA's fat binary, as it lies in `.nv_fatbin`: containers (16 bytes of header, then entries), each entry a header
 * and its payload, machine code or PTX of one architecture, usually compressed. Only headers are read.
 * Sources: nvcc's fatbinary header; the flags were compared with the names inside the payloads of libggml-cuda,
 * libnccl, bitsandbytes and xformers (`sm_90a`, `sm_120a`: bit 20; `sm_100f`: bit 21).
 */
const CONTAINER_MAGIC = Buffer.from([0x50, 0xed, 0x55, 0xba]);
const CONTAINER_HEADER_BYTES = 16;
const ENTRY_HEADER_BYTES = 64;
const MAX_ENTRY_HEADER_BYTES = 64 * 1024;
/** libcublasLt has 2 775. */
const MAX_CONTAINERS = 100_000;
/**
 * Places that look like a container and are none. In arbitrary data the magic stands once in 4 GiB; who writes it
 * everywhere wants to be looked at for hours.
 */
export const FALSE_STARTS = 100_000;

/** How many false starts are left; shared by all that one file or layer holds. */
export interface FalseStarts {
  left: number;
}
const ARCHITECTURE_SPECIFIC = 1 << 20;
const FAMILY_SPECIFIC = 1 << 21;

/** Kinds of entries that hold code for a device; others hold intermediate code for linking or indices. */
const FORMS: ReadonlyMap<number, CudaArchitecture["form"]> = new Map([
  [1, "ptx"],
  [2, "cubin"],
  [16, "cubin"],
]);

/** A container and what its entries are for. */
export interface FatbinContainer {
  /** Where it begins, in bytes of the reader. */
  readonly offset: number;
  /** Header included, bytes. */
  readonly size: number;
  readonly architectures: readonly CudaArchitecture[];
}

/** The size of a container in bytes, header included; nothing when these bytes begin none. */
function containerSize(head: Buffer): number | undefined {
  if (head.length < CONTAINER_HEADER_BYTES || head.compare(CONTAINER_MAGIC, 0, 4, 0, 4) !== 0)
    return undefined;
  const size = head.readBigUInt64LE(8);
  if (head.readUInt16LE(4) !== 1 || head.readUInt16LE(6) !== CONTAINER_HEADER_BYTES || size > 2n ** 40n)
    return undefined;
  return CONTAINER_HEADER_BYTES + Number(size);
}

interface EntryHeader {
  readonly bytes: number;
  readonly payload: number;
  readonly architecture: CudaArchitecture | undefined;
}

/** An entry's header; nothing for bytes that cannot be one, which is how a chance match of the magic is told apart. */
function entryHeader(head: Buffer): EntryHeader | undefined {
  if (head.length < ENTRY_HEADER_BYTES) return undefined;
  const bytes = head.readUInt32LE(4);
  const payload = head.readBigUInt64LE(8);
  const version = head.readUInt32LE(28);
  const plausible =
    bytes >= ENTRY_HEADER_BYTES && bytes <= MAX_ENTRY_HEADER_BYTES && bytes % 8 === 0 && payload <= 2n ** 40n;
  if (!plausible || version > 999) return undefined;
  const form = FORMS.get(head.readUInt16LE(0));
  const flags = head.readUInt32LE(40);
  const architecture: CudaArchitecture | undefined =
    form === undefined || version < 10
      ? undefined
      : { form, major: Math.floor(version / 10), minor: version % 10, suffix: suffixOf(flags) };
  return { bytes, payload: Number(payload), architecture };
}

function suffixOf(flags: number): CudaArchitecture["suffix"] {
  if ((flags & ARCHITECTURE_SPECIFIC) !== 0) return "a";
  return (flags & FAMILY_SPECIFIC) === 0 ? "" : "f";
}

/**
 * Reads the container at the reader's position and stands behind it then. Nothing, and no step made, when there is
 * none. A container that ends early or holds a broken entry gives what came before.
 */
async function readContainer(reader: ForwardReader, room: number): Promise<FatbinContainer | undefined> {
  const offset = reader.position;
  const head = await reader.peek(CONTAINER_HEADER_BYTES + ENTRY_HEADER_BYTES);
  const size = containerSize(head);
  if (size === undefined || size > room) return undefined;
  if (size > CONTAINER_HEADER_BYTES && entryHeader(head.subarray(CONTAINER_HEADER_BYTES)) === undefined)
    return undefined;
  await reader.skip(CONTAINER_HEADER_BYTES);
  const architectures: CudaArchitecture[] = [];
  const end = offset + size;
  while (reader.position + ENTRY_HEADER_BYTES <= end) {
    const entry = entryHeader(await reader.peek(ENTRY_HEADER_BYTES));
    if (entry === undefined || reader.position + entry.bytes + entry.payload > end) break;
    if (entry.architecture !== undefined) architectures.push(entry.architecture);
    if ((await reader.skip(entry.bytes + entry.payload)) < entry.bytes + entry.payload) break;
  }
  await reader.skip(end - reader.position);
  return { offset, size, architectures: distinctArchitectures(architectures) };
}

/**
 * The containers within the next `length` bytes, wherever they begin; those without code for a device are left out.
 * Throws `OmniError` `binary.malformed` when there are more, or more that only look like one, than any library has.
 */
export async function readContainers(
  reader: ForwardReader,
  length: number,
  falseStarts: FalseStarts = { left: FALSE_STARTS },
): Promise<readonly FatbinContainer[]> {
  const containers: FatbinContainer[] = [];
  const end = reader.position + length;
  let isMarked = false;
  while (reader.position + CONTAINER_HEADER_BYTES <= end) {
    const container = await readContainer(reader, end - reader.position);
    if (container === undefined) {
      if (isMarked) falseStarts.left -= 1;
      if (falseStarts.left < 0)
        throw new OmniError("binary.malformed", "It is full of marks of fat binaries that are none.");
      isMarked = await skipToMagic(reader, end);
      if (!isMarked) break;
    } else if (container.architectures.length > 0) {
      containers.push(container);
    }
    if (containers.length > MAX_CONTAINERS)
      throw new OmniError("binary.malformed", `It holds more than ${MAX_CONTAINERS} fat binaries.`);
  }
  return containers;
}

/** Goes on to the next place where a container may begin, at least one byte on; false when none comes before `end`. */
async function skipToMagic(reader: ForwardReader, end: number): Promise<boolean> {
  await reader.skip(1);
  for (;;) {
    const left = end - reader.position;
    if (left < CONTAINER_MAGIC.length) return false;
    const window = (await reader.peek(CONTAINER_MAGIC.length)).subarray(0, left);
    if (window.length < CONTAINER_MAGIC.length) return false;
    const found = window.indexOf(CONTAINER_MAGIC);
    if (found >= 0) {
      await reader.skip(found);
      return true;
    }
    await reader.skip(window.length - CONTAINER_MAGIC.length + 1);
  }
}
