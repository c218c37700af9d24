import type { Market, Offer } from "./market.ts";

/** Prices of the rows and the bound that they prove. */
export interface Prices {
  readonly prices: Float64Array;
  /** No solution is worth more. */
  readonly bound: number;
}

/** What an offer is worth beyond the price of what it takes. */
export function profit({ candidate, rows, shares }: Offer, prices: Float64Array): number {
  let left = candidate.value;
  for (let i = 0; i < rows.length; i++) left -= (prices[rows[i] ?? 0] ?? 0) * (shares[i] ?? 0);
  return left;
}

/**
 * Lowers the Lagrangian bound by subgradient steps (Held, Wolfe and Crowder 1974): at prices ≥ 0 no solution is worth
 * more than the price of all rows plus every item's best profit. `known` is the value of a solution at hand.
 */
export function findPrices(market: Market, known: number, rounds: number): Prices {
  let prices = new Float64Array(market.rowCount);
  let best = { prices, bound: Infinity };
  const slack = new Float64Array(market.rowCount);
  let pace = 1.5;
  let idle = 0;
  for (let round = 0; round < rounds; round++) {
    let bound = evaluate(market, prices, slack);
    if (bound < best.bound - 1e-9 * Math.abs(best.bound === Infinity ? 0 : best.bound)) {
      best = { prices: Float64Array.from(prices), bound };
      idle = 0;
    } else if (++idle >= 8) {
      pace /= 2;
      idle = 0;
      prices = Float64Array.from(best.prices);
      bound = evaluate(market, prices, slack);
    }
    let norm = 0;
    for (let i = 0; i < slack.length; i++) {
      const s = slack[i] ?? 0;
      if (s < 0 || (prices[i] ?? 0) > 0) norm += s * s;
    }
    if (norm === 0 || best.bound <= known) break;
    const step = (pace * Math.max(bound - known, bound * 1e-4)) / norm;
    for (let i = 0; i < slack.length; i++) prices[i] = Math.max(0, (prices[i] ?? 0) - step * (slack[i] ?? 0));
  }
  return best;
}

/** The bound at these prices; `slack` becomes what the best offers leave of each row. */
function evaluate({ offers }: Market, prices: Float64Array, slack: Float64Array): number {
  slack.fill(1);
  let bound = 0;
  for (const price of prices) bound += price;
  for (const list of offers) {
    let most = 0;
    let chosen: Offer | undefined;
    for (const offer of list) {
      // Offers come by falling value, and a price is never negative.
      if (offer.candidate.value <= most) break;
      const left = profit(offer, prices);
      if (left > most) {
        most = left;
        chosen = offer;
      }
    }
    if (chosen === undefined) continue;
    bound += most;
    for (let i = 0; i < chosen.rows.length; i++) {
      const row = chosen.rows[i] ?? 0;
      slack[row] = (slack[row] ?? 0) - (chosen.shares[i] ?? 0);
    }
  }
  return bound;
}
