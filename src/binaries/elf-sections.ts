import { OmniError } from "../core/index.ts";

/** A section of an ELF file: where its bytes lie. */
export interface ElfSection {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

/** What the first 64 bytes of a 64-bit ELF file say. */
export interface ElfHeader {
  /** 62 for x86-64, 183 for Arm, 190 for CUDA device code. */
  readonly machine: number;
  readonly sectionTable: number;
  readonly sectionCount: number;
  /** Index of the section that holds the names. */
  readonly nameSection: number;
}

export const ELF_HEADER_BYTES = 64;
export const SECTION_HEADER_BYTES = 64;
/** More sections than any library has (a section a function gives some ten thousand). */
export const MAX_SECTIONS = 65_536;

/** Whether bytes begin a 64-bit little-endian ELF file. */
export const isElf = (head: Buffer): boolean =>
  head.length >= 6 && head.readUInt32BE(0) === 0x7f_45_4c_46 && head[4] === 2 && head[5] === 1;

/** Reads an ELF header. Throws `OmniError` `binary.not-elf` when it is none, `binary.malformed` when it cannot be. */
export function readElfHeader(head: Buffer, name: string): ElfHeader {
  if (!isElf(head)) throw new OmniError("binary.not-elf", `${name} is no 64-bit little-endian ELF file.`);
  if (head.length < ELF_HEADER_BYTES)
    throw malformed(name, `it ends within its header, at byte ${head.length}`);
  const sectionTable = Number(head.readBigUInt64LE(40));
  const entryBytes = head.readUInt16LE(58);
  const sectionCount = head.readUInt16LE(60);
  if (sectionCount > 0 && entryBytes !== SECTION_HEADER_BYTES)
    throw malformed(name, `its section headers have ${entryBytes} bytes instead of ${SECTION_HEADER_BYTES}`);
  if (!Number.isSafeInteger(sectionTable)) throw malformed(name, "its section table lies beyond any file");
  return { machine: head.readUInt16LE(18), sectionTable, sectionCount, nameSection: head.readUInt16LE(62) };
}

/** One entry of the section table, its name still an offset into the section of names. */
export interface RawSection {
  readonly nameOffset: number;
  readonly type: number;
  readonly offset: number;
  readonly size: number;
}

/** Cuts a section table into its entries. Offsets beyond what a number holds become 2⁵³, past the end of any file. */
export function readSectionTable(table: Buffer): readonly RawSection[] {
  const sections: RawSection[] = [];
  for (let at = 0; at + SECTION_HEADER_BYTES <= table.length; at += SECTION_HEADER_BYTES) {
    sections.push({
      nameOffset: table.readUInt32LE(at),
      type: table.readUInt32LE(at + 4),
      offset: safe(table.readBigUInt64LE(at + 24)),
      size: safe(table.readBigUInt64LE(at + 32)),
    });
  }
  return sections;
}

const LONGEST_NAME = 256;

/**
 * The text at this offset of the names, up to its end mark; empty when there is none. The mark is looked for nearby only:
 * thousands of sections that each search megabytes for it would take hours.
 */
export function sectionName(names: Buffer, offset: number): string {
  const near = names.subarray(offset, offset + LONGEST_NAME);
  const end = near.indexOf(0);
  return end < 0 ? "" : near.toString("latin1", 0, end);
}

export const malformed = (name: string, why: string): OmniError =>
  new OmniError("binary.malformed", `${name} is damaged or cut: ${why}.`);

const safe = (value: bigint): number =>
  value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
