/**
 * The end of what was said that the next engine was not given and must say again: it is swallowed as long as it is the
 * same, character by character, and refused when it is not.
 */
export class Overlap {
  #rest: string;

  constructor(expected: string) {
    this.#rest = expected;
  }

  get open(): boolean {
    return this.#rest !== "";
  }

  /** What of the text is new, `undefined` when it is not what was said before. */
  take(text: string): string | undefined {
    if (this.#rest === "") return text;
    const length = Math.min(text.length, this.#rest.length);
    if (!this.#rest.startsWith(text.slice(0, length))) return undefined;
    this.#rest = this.#rest.slice(length);
    return text.slice(length);
  }
}
