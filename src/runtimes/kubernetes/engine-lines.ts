/** Lines that are kept; the same as of a process. */
const KEPT_LINES = 200;
/** Characters of one line that are kept. */
export const LINE_LIMIT = 4096;
/** What the cluster says about an engine, and not the engine itself. */
const MARK = "[kubernetes]";

/** The newest lines of an engine and what the cluster said about it meanwhile, in the order in which they came. */
export class EngineLines {
  readonly #lines: string[] = [];
  readonly #listeners = new Set<(line: string) => void>();

  add(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    for (const listener of this.#listeners) listener(line);
  }

  /** A line of the cluster. */
  say(words: string): void {
    this.add(`${MARK} ${words.replaceAll(/\s*\n\s*/g, " ").slice(0, LINE_LIMIT)}`);
  }

  last(): readonly string[] {
    return [...this.#lines];
  }

  subscribe(listener: (line: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
