import { ToolFailure } from "./tool-failure.ts";

/** A name as SQL takes it literally. Throws `ToolFailure` on a NUL, which no name can hold. */
export function quotedIdentifier(name: string): string {
  if (name.includes("\0"))
    throw new ToolFailure("A name holds a NUL character, which PostgreSQL has none of.");
  return `"${name.replaceAll('"', '""')}"`;
}
