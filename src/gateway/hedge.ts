/** A second try beside a first one that is slow, at most one a request. */
export class Hedge {
  readonly #timer: NodeJS.Timeout;

  /** `ask` sends the request to the next service as well, once the first try was silent for `after` ms. */
  constructor(ask: () => void, after: number) {
    this.#timer = setTimeout(ask, after);
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }
}
