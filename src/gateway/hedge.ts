import type { RoutePolicy } from "./route-policy.ts";

/** A second try beside a first one that is slow, at most one a request. */
export class Hedge {
  readonly #ask: () => void;
  #timer: NodeJS.Timeout | undefined;
  #used = false;

  /** `ask` sends the request to the next service as well. */
  constructor(ask: () => void) {
    this.#ask = ask;
  }

  /** Called with a first try; `promptTokens` is what the prompt may have. */
  arm({ hedge }: RoutePolicy, promptTokens: number): void {
    if (hedge === undefined || this.#used || promptTokens >= (hedge.below ?? Number.POSITIVE_INFINITY))
      return;
    this.#used = true;
    this.#timer = setTimeout(this.#ask, hedge.after);
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#used = true;
  }
}
