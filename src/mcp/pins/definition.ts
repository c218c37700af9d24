import { hash } from "node:crypto";
import type { Tool } from "@modelcontextprotocol/server";

/** What of a tool its users rely on, in one order and one writing, and the SHA-256 of that. */
export interface Definition {
  readonly text: string;
  readonly hash: string;
}

/** Throws RangeError where it is nested too deeply to be written. */
export function definitionOf(tool: Tool): Definition {
  const { name, title, description, inputSchema, outputSchema, annotations } = tool;
  const text = canonical({ name, title, description, inputSchema, outputSchema, annotations });
  return { text, hash: hashOf(text) };
}

/** The same of a server's instructions. */
export function definitionOfWords(instructions: string): Definition {
  const text = canonical({ instructions });
  return { text, hash: hashOf(text) };
}

/** SHA-256 of a canonical definition, 64 hexadecimal digits. */
export const hashOf = (text: string): string => hash("sha256", text);

/** JSON with the names of objects in order and nothing in between (after RFC 8785; numbers as JavaScript writes them). */
export const canonical = (value: unknown): string => JSON.stringify(ordered(value)) ?? "null";

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== "object" || value === null) return value;
  // Without a prototype `__proto__` is a name like any other.
  const sorted: Record<string, unknown> = Object.create(null);
  for (const [name, member] of Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    sorted[name] = ordered(member);
  return sorted;
}
