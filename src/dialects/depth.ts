import { DialectError } from "./translation.ts";

/** Deeper JSON than any tool's schema, and far from where writing it would overflow the stack (about 7 000 levels). */
const MAX_DEPTH = 256;

/** Throws `DialectError` when a request nests deeper than 256 levels; walks without recursion. */
export function requireShallow(body: unknown): void {
  const waiting: { readonly value: object; readonly depth: number }[] = [];
  const look = (value: unknown, depth: number): void => {
    if (typeof value !== "object" || value === null) return;
    if (depth > MAX_DEPTH) {
      throw new DialectError("", `The request nests deeper than ${MAX_DEPTH} levels.`);
    }
    waiting.push({ value, depth });
  };
  look(body, 1);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, depth } = next;
    for (const member of Object.values(value)) look(member, depth + 1);
  }
}
