import { isUtf8 } from "node:buffer";
import type { CallToolResult } from "@modelcontextprotocol/server";

/** An answer of text alone. Contents are given once: some clients show text, some structured content, few both. */
export const answer = (...lines: readonly string[]): CallToolResult => ({
  content: [{ type: "text", text: lines.join("\n") }],
});

/** Bytes as text, or `undefined` when they are none: a NUL, or not UTF-8. */
export const textOf = (bytes: Buffer): string | undefined =>
  bytes.includes(0) || !isUtf8(bytes) ? undefined : bytes.toString("utf8");

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;

/** Where the first whole character begins; at most 3 bytes in. */
export function firstCharacter(bytes: Uint8Array): number {
  let start = 0;
  while (start < 3 && isContinuation(bytes[start])) start += 1;
  return start;
}

/** Where the last character that is cut begins, or the end when none is. */
export function lastCharacter(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(4, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (isContinuation(byte)) continue;
    const length = byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
