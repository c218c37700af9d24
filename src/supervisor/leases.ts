import type { Address } from "../core/index.ts";
import type { Lease } from "./backends.ts";

/** Requests that one engine answers now. A new engine of the same service has a book of its own. */
export class Leases {
  #open = 0;
  #changedAt = 0;
  readonly #onIdle: () => void;

  /** `onIdle` is called whenever the last open lease is released. */
  constructor(onIdle: () => void) {
    this.#onIdle = onIdle;
  }

  get open(): number {
    return this.#open;
  }

  /** Elapsed milliseconds of the last lease taken or released; 0 for none. */
  get changedAt(): number {
    return this.#changedAt;
  }

  /** `asked` is what the lease tells of its engine. */
  take(address: Address, asked: Pick<Lease, "model" | "engine" | "kind">, now: () => number): Lease {
    this.#open++;
    this.#changedAt = now();
    let held = true;
    return {
      address,
      ...asked,
      release: (): void => {
        if (!held) return;
        held = false;
        this.#open--;
        this.#changedAt = now();
        if (this.#open === 0) this.#onIdle();
      },
    };
  }
}
