import { hash } from "node:crypto";

/** OpenAI's bound on names of functions, which engines keep too: `^[a-zA-Z0-9_-]{1,64}$`. */
const LONGEST = 64;
const HASH = 8;

/** How a tool of a server is written in scopes and logs. */
export const plainName = (server: string, tool: string): string => `${server}__${tool}`;

/**
 * The name of the function by which a model knows a tool of a server: `server__tool` where that is a name at all. What is
 * longer or has other characters ends in a hash of both names, so that two tools never share one by being cut.
 */
export function functionName(server: string, tool: string): string {
  const plain = plainName(server, tool);
  const safe = plain.replaceAll(/[^\w-]/g, "_");
  if (safe === plain && plain.length <= LONGEST) return plain;
  const digest = hash("sha256", JSON.stringify([server, tool])).slice(0, HASH);
  return `${safe.slice(0, LONGEST - HASH - 1)}_${digest}`;
}

/** The same, different from all names that are taken. */
export function uniqueName(server: string, tool: string, taken: ReadonlySet<string>): string {
  const name = functionName(server, tool);
  if (!taken.has(name)) return name;
  for (let n = 2; ; n++) {
    const other = `${name.slice(0, LONGEST - 1 - String(n).length)}_${n}`;
    if (!taken.has(other)) return other;
  }
}
