/**
 * Watches a growing text for stop strings that may be split over tokens. Nothing of a stop string is ever let
 * through: text that could still become one is held back.
 */
export class StopStrings {
  readonly #stops: readonly string[];
  #held = "";
  #found: string | undefined;

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  get stopped(): boolean {
    return this.#found !== undefined;
  }

  /** The stop string that ended the text. */
  get found(): string | undefined {
    return this.#found;
  }

  /** The text that is safe to show now. */
  push(text: string): string {
    if (this.#stops.length === 0) return text;
    if (this.stopped) return "";
    this.#held += text;
    const found = this.#earliest();
    if (found !== undefined) {
      const shown = this.#held.slice(0, found.at);
      this.#found = found.stop;
      this.#held = "";
      return shown;
    }
    const keep = this.#couldBecomeStop();
    const shown = this.#held.slice(0, this.#held.length - keep);
    this.#held = this.#held.slice(this.#held.length - keep);
    return shown;
  }

  /** What was held back, once no more text comes. */
  flush(): string {
    const rest = this.#held;
    this.#held = "";
    return rest;
  }

  #earliest(): { readonly stop: string; readonly at: number } | undefined {
    let first: { readonly stop: string; readonly at: number } | undefined;
    for (const stop of this.#stops) {
      const at = this.#held.indexOf(stop);
      if (at >= 0 && (first === undefined || at < first.at)) first = { stop, at };
    }
    return first;
  }

  /** Length of the longest end of the held text with which some stop string begins. */
  #couldBecomeStop(): number {
    let longest = 0;
    for (const stop of this.#stops) longest = Math.max(longest, overlap(this.#held, stop));
    return longest;
  }
}

/** Length of the longest proper beginning of `wanted` with which `text` ends. */
export function overlap(text: string, wanted: string): number {
  for (let length = Math.min(text.length, wanted.length - 1); length > 0; length--) {
    if (text.endsWith(wanted.slice(0, length))) return length;
  }
  return 0;
}
