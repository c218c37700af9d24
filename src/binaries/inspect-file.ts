import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { messageOf, OmniError } from "../core/index.ts";
import { deviceCode, LINKED_SECTION, LOADED_SECTION } from "./device-code.ts";
import type { DeviceCode } from "./device-code.ts";
import {
  ELF_HEADER_BYTES,
  malformed,
  MAX_SECTIONS,
  readElfHeader,
  readSectionTable,
  SECTION_HEADER_BYTES,
  sectionName,
} from "./elf-sections.ts";
import type { ElfSection } from "./elf-sections.ts";
import { FALSE_STARTS, readContainers } from "./fatbin.ts";
import type { FatbinContainer } from "./fatbin.ts";
import type { ForwardReader } from "./forward-reader.ts";

/** Section names of any real file; a table that claims more is refused instead of read. */
const MAX_NAME_BYTES = 64 * 2 ** 20;
const MAX_DEVICE_SECTIONS = 256;
const WINDOW_BYTES = 4096;

/** A compiled file and the device code in it. Bytes. */
export interface BinaryReport extends DeviceCode {
  readonly path: string;
  readonly bytes: number;
}

/**
 * The CUDA architectures compiled into a library or program, read from its ELF sections. Payloads are passed over, so a
 * few hundred KB of even a large file are read. Throws `OmniError` `binary.not-elf` or `binary.malformed`.
 */
export async function inspectFile(path: string): Promise<BinaryReport> {
  // Without O_NONBLOCK a named pipe would hold the thread until somebody writes to it.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((thrown: unknown) => {
    throw new OmniError("binary.not-elf", `Cannot open ${path}: ${messageOf(thrown)}`, { cause: thrown });
  });
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new OmniError("binary.not-elf", `${path} is not a file.`);
    const sections = await readSections(file, stat.size, path);
    const falseStarts = { left: FALSE_STARTS };
    const containers: FatbinContainer[] = [];
    for (const { offset, size } of deviceSections(sections, stat.size, path)) {
      const reader = new FileReader(file, offset, offset + size);
      containers.push(...(await readContainers(reader, size, falseStarts)));
    }
    return { path, bytes: stat.size, ...deviceCode(containers, sections) };
  } finally {
    await file.close();
  }
}

/** Sections with device code, in order. They cannot overlap, so that no byte is looked at twice. */
function deviceSections(sections: readonly ElfSection[], size: number, path: string): readonly ElfSection[] {
  const found = sections
    .filter(({ name }) => name === LOADED_SECTION || name === LINKED_SECTION)
    .toSorted((a, b) => a.offset - b.offset);
  if (found.length > MAX_DEVICE_SECTIONS)
    throw malformed(path, `it has ${found.length} sections with device code; libraries have two`);
  let end = 0;
  for (const section of found) {
    if (section.offset < end) throw malformed(path, `section ${section.name} overlaps the one before it`);
    end = section.offset + section.size;
    if (end > size) throw malformed(path, `section ${section.name} ends at ${end} of ${size} bytes`);
  }
  return found;
}

async function readSections(file: FileHandle, size: number, path: string): Promise<readonly ElfSection[]> {
  const header = readElfHeader(await readAt(file, 0, ELF_HEADER_BYTES), path);
  if (header.sectionTable === 0) return [];
  // Count 0 beside a table: the real count stands in the first entry (System V ABI).
  const [first] = readSectionTable(await readAt(file, header.sectionTable, SECTION_HEADER_BYTES));
  const count = header.sectionCount === 0 ? (first?.size ?? 0) : header.sectionCount;
  if (count > MAX_SECTIONS || header.sectionTable + count * SECTION_HEADER_BYTES > size)
    throw malformed(path, `its table of ${count} sections does not lie within its ${size} bytes`);
  const table = readSectionTable(await readAt(file, header.sectionTable, count * SECTION_HEADER_BYTES));
  const named = table[header.nameSection];
  if (named === undefined || named.size > MAX_NAME_BYTES || named.offset + named.size > size)
    throw malformed(path, "its section names do not lie within it");
  const names = await readAt(file, named.offset, named.size);
  const NOBITS = 8;
  return table
    .filter((section) => section.type !== NOBITS)
    .map(({ nameOffset, offset, size: bytes }) => ({
      name: sectionName(names, nameOffset),
      offset,
      size: bytes,
    }));
}

/** As many of these bytes as the file has. */
async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

/** A part of a file front to back, where passing over bytes costs nothing. */
class FileReader implements ForwardReader {
  readonly #file: FileHandle;
  readonly #end: number;
  #position: number;
  #window: Buffer = Buffer.alloc(0);

  constructor(file: FileHandle, from: number, end: number) {
    this.#file = file;
    this.#position = from;
    this.#end = end;
  }

  get position(): number {
    return this.#position;
  }

  async peek(least: number): Promise<Buffer> {
    if (this.#window.length < least && this.#position + this.#window.length < this.#end) {
      const length = Math.min(Math.max(least, WINDOW_BYTES), this.#end - this.#position);
      this.#window = await readAt(this.#file, this.#position, length);
    }
    return this.#window;
  }

  skip(length: number): Promise<number> {
    const step = Math.min(length, this.#end - this.#position);
    this.#position += step;
    this.#window = this.#window.subarray(Math.min(step, this.#window.length));
    return Promise.resolve(step);
  }
}
