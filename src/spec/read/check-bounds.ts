import { Lexer } from "yaml";
import type { Code } from "../../core/index.ts";

/** What a spec may hold at most: far more than any real one, and little enough to be read within a second. */
const MAX = { depth: 64, tokens: 300_000, aliases: 4000, marks: 4000 } as const;

/** Control characters that the lexer puts between the pieces of the text; none of them is in the text itself. */
export const LEXER_MARKERS: ReadonlySet<string> = new Set(["\u0002", "\u0018", "\u001F"]);

interface BoundFault {
  readonly code: Code;
  readonly offset: number;
  readonly message: string;
  readonly hint: string;
}

/**
 * Looks through the tokens of a text before it is parsed, and names the place where it becomes more than a spec can be.
 * The parser would find out too, but only after seconds of work or at the end of its stack.
 */
export function checkBounds(text: string): BoundFault | undefined {
  const count = { tokens: 0, aliases: 0, marks: 0, depth: 0, indicators: 0 };
  let offset = 0;
  for (const token of new Lexer().lex(text)) {
    tally(count, token);
    const fault = exceeded(count);
    if (fault !== undefined) return { ...fault, offset: Math.min(offset, text.length) };
    if (!LEXER_MARKERS.has(token)) offset += token.length;
  }
  return undefined;
}

type Count = Record<keyof typeof MAX | "indicators", number>;

function tally(count: Count, token: string): void {
  count.tokens++;
  const first = token.charAt(0);
  if (token === "[" || token === "{") count.depth++;
  else if (token === "]" || token === "}") count.depth = Math.max(0, count.depth - 1);
  else if (first === "*") count.aliases++;
  else if (first === "&" || first === "!") count.marks++;
  if (token === "-" || token === "?" || token === ":") count.indicators++;
  else if (first !== " ") count.indicators = 0;
}

function exceeded(count: Count): Omit<BoundFault, "offset"> | undefined {
  if (count.depth > MAX.depth || count.indicators > MAX.depth) {
    return {
      code: "spec.too-deep",
      message: `nested deeper than ${MAX.depth} levels`,
      hint: "no part of a spec is that deep; check the brackets and the indentation",
    };
  }
  if (count.aliases > MAX.aliases) {
    const message = `more than ${MAX.aliases} aliases`;
    return { code: "spec.alias-bomb", message, hint: "use fewer aliases (*name)" };
  }
  if (count.tokens > MAX.tokens || count.marks > MAX.marks) {
    const message = "more keys and values than a spec can hold";
    return { code: "spec.too-large", message, hint: "split the machines into several specs" };
  }
  return undefined;
}
