import type { NativeModel } from "./native.ts";
import type { SpecialToken } from "./special-tokens.ts";

const PRIVATE_FIRST = 0xe000;
const PRIVATE_LAST = 0xf8ff;

/**
 * Keeps what users wrote apart from what the chat template wrote, through the rendering of the template.
 *
 * Every special token's text begins and ends with some character, nearly always `<`, `>`, `[` or `]`. In all text
 * that comes from a request these characters are replaced, one for one, by private-use characters that occur
 * nowhere in the request. The template sees the same text with the same length; where its output, turned back,
 * spells a special token with at least one replaced character, a user spelled it, and it is tokenised in
 * pieces as plain text. Everything else is tokenised exactly as llama.cpp would tokenise it in one go.
 */
export class UntrustedText {
  readonly #specials: readonly SpecialToken[];
  readonly #marks = new Map<string, string>();
  readonly #originals = new Map<string, string>();
  readonly #edges: RegExp | undefined;
  readonly #marked: RegExp | undefined;

  /** `source` is the text of the whole request, in which the private-use characters must not occur. */
  constructor(specials: readonly SpecialToken[], source: string) {
    this.#specials = specials;
    const edges = new Set(specials.flatMap(({ text }) => edgesOf(text)));
    let code = PRIVATE_FIRST;
    for (const edge of edges) {
      while (code <= PRIVATE_LAST && source.includes(String.fromCharCode(code))) code++;
      const mark = String.fromCharCode(code++);
      this.#marks.set(edge, mark);
      this.#originals.set(mark, edge);
    }
    this.#edges = anyOf(this.#marks.keys());
    this.#marked = anyOf(this.#originals.keys());
  }

  /** Marks one text of the request. */
  mark(text: string): string {
    if (this.#edges === undefined) return text;
    return text.replaceAll(this.#edges, (edge) => this.#marks.get(edge) ?? edge);
  }

  /** Marks every string inside a JSON value, keys included. */
  markAll(value: unknown): unknown {
    if (typeof value === "string") return this.mark(value);
    if (Array.isArray(value)) return value.map((item) => this.markAll(item));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [this.mark(key), this.markAll(item)]),
    );
  }

  /** The rendered text as the model is meant to see it. */
  restore(rendered: string): string {
    if (this.#marked === undefined) return rendered;
    return rendered.replaceAll(this.#marked, (mark) => this.#originals.get(mark) ?? mark);
  }

  /** Tokens of a rendered template, special tokens parsed only where the template itself wrote them. */
  tokenize(model: NativeModel, rendered: string): number[] {
    const text = this.restore(rendered);
    const tokens: number[] = [];
    let from = 0;
    for (const [start, end] of this.#forged(rendered, text)) {
      append(tokens, model.tokenize(text.slice(from, start), true));
      // In two pieces, because added tokens are matched even when special tokens are not parsed.
      append(tokens, model.tokenize(text.slice(start, start + 1), false));
      append(tokens, model.tokenize(text.slice(start + 1, end), false));
      from = end;
    }
    append(tokens, model.tokenize(text.slice(from), true));
    return tokens;
  }

  /** Ranges of special tokens' texts in which a user had a hand, ordered and merged. */
  #forged(rendered: string, text: string): [number, number][] {
    if (this.#marked === undefined || rendered === text) return [];
    const ranges: [number, number][] = [];
    for (const { index } of rendered.matchAll(this.#marked)) {
      for (const { text: special } of this.#specials) {
        for (
          let at = special.indexOf(text[index] ?? "");
          at >= 0;
          at = special.indexOf(text[index] ?? "", at + 1)
        ) {
          const start = index - at;
          if (start >= 0 && text.startsWith(special, start)) ranges.push([start, start + special.length]);
        }
      }
    }
    return merged(ranges);
  }
}

/** First and last character of a special token's text, as far as they are no letters or digits. */
function edgesOf(text: string): string[] {
  const signs = text.match(/[^\p{L}\p{N}\s_]/gu) ?? [];
  const first = signs.at(0);
  const last = signs.at(-1);
  return [first, last].flatMap((sign) => (sign?.length === 1 ? [sign] : []));
}

function anyOf(characters: Iterable<string>): RegExp | undefined {
  const escaped = [...characters].map((one) => `\\u{${(one.codePointAt(0) ?? 0).toString(16)}}`);
  return escaped.length === 0 ? undefined : new RegExp(`[${escaped.join("")}]`, "gu");
}

function append(tokens: number[], more: Uint32Array): void {
  for (const token of more) tokens.push(token);
}

function merged(ranges: readonly [number, number][]): [number, number][] {
  const result: [number, number][] = [];
  for (const [start, end] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = result.at(-1);
    if (last !== undefined && start < last[1]) last[1] = Math.max(last[1], end);
    else result.push([start, end]);
  }
  return result;
}
