import { randomUUID } from "node:crypto";

import type { LimitAsk, LimitGrant, LimitLender } from "../../store/limit-lender.ts";

/** What one worker was lent of keys' limits. */
export class WorkerLoans {
  readonly #lender: LimitLender;
  /** Another one for each process: a worker that starts again is not the one that died. */
  readonly #holder = randomUUID();
  readonly #held = new Map<string, LimitAsk>();
  #closed = false;

  constructor(lender: LimitLender) {
    this.#lender = lender;
  }

  /** The grants, or `undefined` when nobody can count. */
  async exchange(asks: readonly LimitAsk[]): Promise<readonly LimitGrant[] | undefined> {
    for (const ask of asks) {
      const name = `${ask.allowance} ${ask.key}`;
      if (ask.want > 0) this.#held.set(name, ask);
      else this.#held.delete(name);
    }
    try {
      const grants = await this.#lender.exchange(this.#holder, asks);
      if (this.#closed) await this.#return(asks);
      return grants;
    } catch {
      return undefined;
    }
  }

  /** The worker is gone: what it was lent and had not told as used is everybody's again, at once. */
  giveBack(): void {
    this.#closed = true;
    const asks = [...this.#held.values()];
    this.#held.clear();
    if (asks.length > 0) void this.#return(asks);
  }

  async #return(asks: readonly LimitAsk[]): Promise<void> {
    try {
      await this.#lender.exchange(
        this.#holder,
        asks.map((ask) => ({ ...ask, spent: 0, want: 0 })),
      );
    } catch {
      // Nobody can count now; a holder that is not heard of loses its loan after a while.
    }
  }
}
