import type { MarkedToken, Token } from "marked";

/** A token and the characters of its text that it stands for. */
export interface Placed {
  readonly token: Token;
  readonly begin: number;
  readonly end: number;
}

/** Tokens with their places, which stay theirs while the text behind them grows. */
export function placed(tokens: readonly Token[]): readonly Placed[] {
  let end = 0;
  return tokens.map((token) => {
    const begin = end;
    end += token.raw.length;
    return { token, begin, end };
  });
}

const KNOWN: ReadonlySet<string> = new Set<MarkedToken["type"]>([
  "blockquote",
  "br",
  "checkbox",
  "code",
  "codespan",
  "def",
  "del",
  "em",
  "escape",
  "heading",
  "hr",
  "html",
  "image",
  "link",
  "list",
  "list_item",
  "paragraph",
  "space",
  "strong",
  "table",
  "text",
]);

/** Whether it is one of the lexer's own; it has no extensions here. */
export const isOwn = (token: Token): token is MarkedToken => KNOWN.has(token.type);
