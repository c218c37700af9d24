import type { ToolEntry } from "./tool-entry.ts";

/** BM25's usual constants (Robertson and Zaragoza, 2009): how soon more of a word is no better, and how length counts. */
const K1 = 1.2;
const B = 0.75;
/** A word of the name says more than one of the description. */
const WEIGHTS = { name: 3, title: 2, description: 1, argument: 1 } as const;
/** Words of a query and of a tool that are looked at. */
const MOST_QUERY = 32;
const MOST_WORDS = 400;

interface Document {
  readonly entry: ToolEntry;
  readonly counts: ReadonlyMap<string, number>;
  readonly length: number;
}

/** Tools by what they say of themselves: BM25 over name, title, description and names of arguments. */
export class ToolIndex {
  readonly #documents: readonly Document[];
  readonly #holders = new Map<string, number>();
  readonly #average: number;

  constructor(entries: readonly ToolEntry[]) {
    this.#documents = entries.map(documentOf);
    for (const { counts } of this.#documents)
      for (const word of counts.keys()) this.#holders.set(word, (this.#holders.get(word) ?? 0) + 1);
    const total = this.#documents.reduce((sum, { length }) => sum + length, 0);
    this.#average = Math.max(1, total / Math.max(1, this.#documents.length));
  }

  get size(): number {
    return this.#documents.length;
  }

  /** The best matches, best first; of equals the first by name. Of one server only where it is named. */
  search(query: string, limit: number, server?: string): readonly ToolEntry[] {
    const words = [...new Set(wordsOf(query))].slice(0, MOST_QUERY);
    return this.#documents
      .filter(({ entry }) => server === undefined || entry.link.name === server)
      .map((document) => ({ entry: document.entry, score: this.#score(document, words) }))
      .filter(({ score }) => score > 0)
      .toSorted((a, b) => b.score - a.score || (a.entry.name < b.entry.name ? -1 : 1))
      .slice(0, limit)
      .map(({ entry }) => entry);
  }

  #score({ counts, length }: Document, words: readonly string[]): number {
    let score = 0;
    for (const word of words) {
      const count = counts.get(word);
      if (count === undefined) continue;
      const holders = this.#holders.get(word) ?? 0;
      const rarity = Math.log(1 + (this.#documents.length - holders + 0.5) / (holders + 0.5));
      score += (rarity * count * (K1 + 1)) / (count + K1 * (1 - B + (B * length) / this.#average));
    }
    return score;
  }
}

function documentOf(entry: ToolEntry): Document {
  const { tool, link } = entry;
  const counts = new Map<string, number>();
  let length = 0;
  const add = (text: string, weight: number): void => {
    for (const word of wordsOf(text)) {
      if (length >= MOST_WORDS) return;
      counts.set(word, (counts.get(word) ?? 0) + weight);
      length += 1;
    }
  };
  add(`${link.name} ${tool.name}`, WEIGHTS.name);
  add(tool.title ?? tool.annotations?.title ?? "", WEIGHTS.title);
  add(Object.keys(tool.inputSchema.properties ?? {}).join(" "), WEIGHTS.argument);
  add((tool.description ?? "").slice(0, 8192), WEIGHTS.description);
  return { entry, counts, length };
}

/** Words in lower case; `readTextFile` and `read_text_file` are three each. A plural's `s` does not matter. */
const wordsOf = (text: string): readonly string[] =>
  (
    text
      .slice(0, 16_384)
      .replaceAll(/(\p{Ll}|\d)(\p{Lu})/gu, "$1 $2")
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  ).map((word) => (word.length > 3 && word.endsWith("s") && !word.endsWith("ss") ? word.slice(0, -1) : word));
