import { OmniError } from "../core/index.ts";
import type { StreamReader } from "./forward-reader.ts";

const BLOCK = 512;
/** A name or a set of extended headers is some KB. */
const MAX_EXTENSION_BYTES = 2 ** 20;
/** Source: PATH_MAX of Linux: a longer path could not be unpacked. */
const LONGEST_PATH = 4096;
/** The largest images have some hundred thousand files. */
const MOST_MEMBERS = 2 ** 22;

/** A regular file of an archive, or the mark of one. Bytes. */
export interface TarFile {
  readonly path: string;
  readonly size: number;
  readonly kind: "file" | "link" | "other";
}

/**
 * Goes through an archive (ustar, pax, GNU long names) and shows every member; what the visitor leaves of a file's
 * bytes is passed over. Throws `OmniError` `image.malformed` on what is no archive, or one that ends within a member.
 */
export async function visitTar(reader: StreamReader, visit: (file: TarFile) => Promise<void>): Promise<void> {
  let extended: Extension = {};
  for (let members = 0; ; members++) {
    if (members > MOST_MEMBERS) throw broken(`it has more than ${MOST_MEMBERS} members`);
    const header = Buffer.from((await reader.peek(BLOCK)).subarray(0, BLOCK));
    // Two blocks of zeros end an archive; some writers stop without them.
    if (header.every((byte) => byte === 0)) return;
    if (header.length < BLOCK || !hasChecksum(header)) throw broken("a header is damaged");
    await reader.skip(BLOCK);
    const type = String.fromCodePoint(header[156] ?? 0);
    const extension = type === "x" || type === "g" || type === "L" || type === "K";
    const size = (extension ? undefined : extended.size) ?? numberAt(header, 124, 12);
    if (!Number.isSafeInteger(size) || size < 0) throw broken("a member has an impossible size");
    if (extension) {
      const text = await readText(reader, size);
      // A pax header says all it has to say; only a long name may stand before or behind it.
      if (type === "x") extended = paxHeaders(text, extended.path);
      if (type === "L") extended = withPath(extended.size, text.toString("utf8").replace(/\0.*$/s, ""));
    } else {
      const end = reader.position + size;
      const path = normal(extended.path ?? nameOf(header));
      if (path.length > LONGEST_PATH) throw broken(`a path has ${path.length} characters`);
      await visit({ path, size, kind: kindOf(type) });
      await skipAll(reader, end - reader.position);
      extended = {};
    }
    await skipAll(reader, (BLOCK - (size % BLOCK)) % BLOCK);
  }
}

interface Extension {
  readonly path?: string;
  readonly size?: number;
}

const kindOf = (type: string): TarFile["kind"] => {
  if (type === "0" || type === "\0" || type === "7") return "file";
  return type === "1" || type === "2" ? "link" : "other";
};

/** The sum of all bytes with the checksum itself as blanks; some old writers added signed bytes, no image does. */
function hasChecksum(header: Buffer): boolean {
  let sum = 0;
  for (let at = 0; at < BLOCK; at++) sum += at >= 148 && at < 156 ? 0x20 : (header[at] ?? 0);
  return sum === numberAt(header, 148, 8);
}

/** Octal digits, or binary when the first bit is set (files above 8 GiB). */
function numberAt(header: Buffer, offset: number, length: number): number {
  const field = header.subarray(offset, offset + length);
  if (((field[0] ?? 0) & 0x80) === 0) {
    const digits = /^[\s\0]*([0-7]*)/.exec(field.toString("latin1"))?.[1] ?? "";
    return digits === "" ? 0 : Number.parseInt(digits, 8);
  }
  let value = (field[0] ?? 0) & 0x7f;
  for (const byte of field.subarray(1)) value = value * 256 + byte;
  return value;
}

function nameOf(header: Buffer): string {
  const text = (from: number, length: number): string =>
    header.toString("utf8", from, from + length).replace(/\0.*$/s, "");
  const prefix = header.toString("latin1", 257, 262) === "ustar" ? text(345, 155) : "";
  return prefix === "" ? text(0, 100) : `${prefix}/${text(0, 100)}`;
}

/** `LENGTH key=value\n` again and again; the length counts the whole line in bytes. */
function paxHeaders(text: Buffer, longName: string | undefined): Extension {
  const found = new Map<string, string>();
  let at = 0;
  while (at < text.length) {
    const space = text.indexOf(0x20, at);
    const length = Number(text.toString("latin1", at, space < 0 ? at : space));
    if (!Number.isInteger(length) || length <= 0 || at + length > text.length) break;
    const line = text.toString("utf8", space + 1, at + length - 1);
    const equals = line.indexOf("=");
    if (equals > 0) found.set(line.slice(0, equals), line.slice(equals + 1));
    at += length;
  }
  const size = found.get("size");
  if (size !== undefined && !/^\d{1,16}$/.test(size)) throw broken("a member has an impossible size");
  return withPath(size === undefined ? undefined : Number(size), found.get("path") ?? longName);
}

const withPath = (size: number | undefined, path: string | undefined): Extension => ({
  ...(path === undefined ? {} : { path }),
  ...(size === undefined ? {} : { size }),
});

async function readText(reader: StreamReader, size: number): Promise<Buffer> {
  if (size > MAX_EXTENSION_BYTES) throw broken(`an extended header has ${size} bytes`);
  const text = Buffer.from((await reader.peek(size)).subarray(0, size));
  await skipAll(reader, size);
  return text;
}

async function skipAll(reader: StreamReader, length: number): Promise<void> {
  if ((await reader.skip(length)) < length) throw broken("it ends within a member");
}

const normal = (path: string): string => path.replace(/^(?:\.?\/)+/, "");

const broken = (why: string): OmniError =>
  new OmniError("image.malformed", `A layer is no valid archive: ${why}.`);
