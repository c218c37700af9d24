import { OmniError } from "../../core/index.ts";

/** Bytes of a call's arguments as JSON; stdio takes messages of 10 MiB. */
const MOST_BYTES = 8 * 1024 * 1024;
/** Levels, and members and elements over all levels (the SDK's `maxToolInputElements`, GHSA-46jr-4wx8-v453). */
const MOST_DEPTH = 64;
const MOST_ELEMENTS = 100_000;

/** Bytes of arguments as JSON. Throws `OmniError` `mcp.arguments-too-large`. */
export function argumentBytes(args: Readonly<Record<string, unknown>>): number {
  checkShape(args);
  const bytes = Buffer.byteLength(JSON.stringify(args));
  if (bytes > MOST_BYTES)
    throw tooLarge(`The arguments have ${bytes} bytes; at most ${MOST_BYTES} are taken.`);
  return bytes;
}

/** Without recursion, so that no depth is too much for the looking itself. */
function checkShape(args: Readonly<Record<string, unknown>>): void {
  let level: object[] = [args];
  let elements = 0;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth >= MOST_DEPTH) throw tooLarge(`The arguments are nested more than ${MOST_DEPTH} levels deep.`);
    const next: object[] = [];
    for (const holder of level) {
      for (const value of Object.values(holder)) {
        if (++elements > MOST_ELEMENTS)
          throw tooLarge(`The arguments have more than ${MOST_ELEMENTS} members and elements.`);
        if (typeof value === "object" && value !== null) next.push(value);
      }
    }
    level = next;
  }
}

const tooLarge = (message: string): OmniError => new OmniError("mcp.arguments-too-large", message);
