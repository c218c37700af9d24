import type { Offer } from "./market.ts";
import { profit } from "./prices.ts";

/** The bound of a partial solution, and the prices that prove it. */
export interface Hope {
  /** No completion adds more. */
  readonly bound: number;
  readonly prices: Float64Array;
  /** The part of the bound that is the first item's best profit. */
  readonly first: number;
}

/** Rounds of lowering a bound that may be given up earlier. */
const ROUNDS = 12;

/** What is left of each priced row while branch and bound goes down and up, and the bounds that follow. */
export class RowPrices {
  /** Reads of an offer so far. */
  work = 0;
  readonly #left: Float64Array;
  readonly #slack: Float64Array;

  constructor(rowCount: number) {
    this.#left = new Float64Array(rowCount).fill(1);
    this.#slack = new Float64Array(rowCount);
  }

  /** Takes what the offer takes, or with −1 gives it back. */
  take({ rows, shares }: Offer, sign: number): void {
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] ?? 0;
      this.#left[row] = (this.#left[row] ?? 0) - sign * (shares[i] ?? 0);
    }
  }

  /**
   * Lowers the bound on what one offer of each list can add, from these prices on; undefined once it is below `floor`.
   * Subgradient steps as in `findPrices`, over what is left of each row.
   */
  lower(lists: readonly (readonly Offer[])[], start: Float64Array, floor: number): Hope | undefined {
    const prices = Float64Array.from(start);
    let best: Hope = { ...this.#evaluate(lists, start), prices: start };
    if (best.bound < floor) return undefined;
    let pace = 1;
    let { bound } = best;
    for (let round = 1; round < ROUNDS && lists.length > 1; round++) {
      let norm = 0;
      for (let i = 0; i < prices.length; i++) {
        const slack = this.#slack[i] ?? 0;
        if (slack < 0 || (prices[i] ?? 0) > 0) norm += slack * slack;
      }
      if (norm === 0) break;
      const step = (pace * Math.max(bound - floor, 0)) / norm;
      for (let i = 0; i < prices.length; i++) {
        prices[i] = Math.max(0, (prices[i] ?? 0) - step * (this.#slack[i] ?? 0));
      }
      const next = this.#evaluate(lists, prices);
      ({ bound } = next);
      if (bound < floor) return undefined;
      if (bound < best.bound) best = { ...next, prices: Float64Array.from(prices) };
      else pace *= 0.7;
    }
    return best;
  }

  #evaluate(lists: readonly (readonly Offer[])[], prices: Float64Array): { bound: number; first: number } {
    let bound = 0;
    for (let i = 0; i < prices.length; i++) {
      const left = Math.max(0, this.#left[i] ?? 0);
      bound += (prices[i] ?? 0) * left;
      this.#slack[i] = left;
    }
    let first = 0;
    for (const [index, list] of lists.entries()) {
      let most = 0;
      let chosen: Offer | undefined;
      this.work += list.length;
      for (const offer of list) {
        // No price is negative, so that no profit is above the value.
        if (offer.candidate.value <= most) continue;
        const left = profit(offer, prices);
        if (left <= most) continue;
        most = left;
        chosen = offer;
      }
      if (index === 0) first = most;
      bound += most;
      if (chosen === undefined) continue;
      for (let i = 0; i < chosen.rows.length; i++) {
        const row = chosen.rows[i] ?? 0;
        this.#slack[row] = (this.#slack[row] ?? 0) - (chosen.shares[i] ?? 0);
      }
    }
    return { bound, first };
  }
}
