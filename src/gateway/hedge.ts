/** A second try beside a first one that is slow, at most one a request. */
export class Hedge {
  readonly #ask: () => void;
  #timer: NodeJS.Timeout | undefined;
  #used = false;

  /** `ask` sends the request to the next service as well. */
  constructor(ask: () => void) {
    this.#ask = ask;
  }

  /** Called with a first try; `after` is how long it may be silent, `undefined` for ever. */
  arm(after: number | undefined): void {
    if (after === undefined || this.#used) return;
    this.#used = true;
    this.#timer = setTimeout(this.#ask, after);
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#used = true;
  }
}
