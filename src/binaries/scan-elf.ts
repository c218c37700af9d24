import { deviceCode } from "./device-code.ts";
import type { DeviceCode } from "./device-code.ts";
import {
  ELF_HEADER_BYTES,
  isElf,
  readElfHeader,
  readSectionTable,
  SECTION_HEADER_BYTES,
  sectionName,
} from "./elf-sections.ts";
import type { ElfHeader, ElfSection } from "./elf-sections.ts";
import { readContainers } from "./fatbin.ts";
import type { FalseStarts } from "./fatbin.ts";
import type { Captured, StreamReader } from "./forward-reader.ts";

/** Linkers write the names of sections right before the table; so much before it is kept to look for them. */
const NAMES_BEFORE_TABLE = 2 ** 20;
const MAX_KEPT_SECTIONS = 8192;

/**
 * The device code of an ELF file that passes by once, such as in a layer of an image: the section table comes at the
 * end, when the sections are gone, so fat binaries are looked for by their headers and sorted into sections afterwards.
 * Nothing for any other file or one without device code. The reader stands at the file's end then.
 * Throws `OmniError` `binary.malformed` on a file that cannot be real.
 */
export async function scanElf(
  reader: StreamReader,
  size: number,
  falseStarts: FalseStarts,
): Promise<DeviceCode | undefined> {
  const base = reader.position;
  const head = (await reader.peek(ELF_HEADER_BYTES)).subarray(0, Math.min(size, ELF_HEADER_BYTES));
  if (size < ELF_HEADER_BYTES || !isElf(head)) return undefined;
  const header = readElfHeader(head, "It");
  const kept = keepTable(reader, header, base, size);
  const containers = await readContainers(reader, size, falseStarts);
  await reader.skip(base + size - reader.position);
  if (containers.length === 0) return undefined;
  const inFile = containers.map((container) => ({ ...container, offset: container.offset - base }));
  return deviceCode(inFile, kept === undefined ? [] : sectionsOf(kept, header, base));
}

function keepTable(
  reader: StreamReader,
  header: ElfHeader,
  base: number,
  size: number,
): Captured | undefined {
  const end = header.sectionTable + header.sectionCount * SECTION_HEADER_BYTES;
  if (header.sectionCount === 0 || header.sectionCount > MAX_KEPT_SECTIONS || end > size) return undefined;
  return reader.capture(base + Math.max(0, header.sectionTable - NAMES_BEFORE_TABLE), base + end);
}

function sectionsOf(kept: Captured, header: ElfHeader, base: number): readonly ElfSection[] {
  const bytes = kept.bytes();
  const begin = kept.from - base;
  const table = readSectionTable(bytes.subarray(header.sectionTable - begin));
  const named = table[header.nameSection];
  if (named === undefined || named.offset < begin) return [];
  const names = bytes.subarray(named.offset - begin, named.offset - begin + named.size);
  return table.map(({ nameOffset, offset, size }) => ({
    name: sectionName(names, nameOffset),
    offset,
    size,
  }));
}
