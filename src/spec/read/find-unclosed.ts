import { Lexer } from "yaml";
import { LEXER_MARKERS } from "./check-bounds.ts";

interface Unclosed {
  readonly offset: number;
  readonly message: string;
  readonly hint: string;
}

/** The lexer's sign that a bracket was left by indentation instead of being closed. */
const FLOW_ERROR_END = "\u0018";

/** The bracket or quote that is opened and never closed, where it is opened. */
export function findUnclosed(text: string): Unclosed | undefined {
  const open: { readonly bracket: string; readonly offset: number }[] = [];
  let offset = 0;
  for (const token of new Lexer().lex(text)) {
    if (token === "{" || token === "[") open.push({ bracket: token, offset });
    else if (token === "}" || token === "]") open.pop();
    else if (token === FLOW_ERROR_END) break;
    else if (isOpenQuote(token)) {
      return {
        offset,
        message: `the quote ${token.charAt(0)} is never closed`,
        // What stands in the quote may be a secret and is not repeated.
        hint: `close the quote: put ${token.charAt(0)} at the end of the value`,
      };
    }
    if (!LEXER_MARKERS.has(token)) offset += token.length;
  }
  const last = open.at(-1);
  if (last === undefined) return undefined;
  const closing = last.bracket === "{" ? "}" : "]";
  return {
    offset: last.offset,
    message: `the ${last.bracket} is never closed`,
    hint: `close it with ${closing}`,
  };
}

/** A quoted scalar without its end: the same quote alone, or escaped at the end. */
function isOpenQuote(token: string): boolean {
  const quote = token.charAt(0);
  if (quote !== "'" && quote !== '"') return false;
  const body = token.slice(1);
  const inner = quote === "'" ? body.replaceAll("''", "") : body.replaceAll(/\\./gs, "");
  return !inner.endsWith(quote);
}
