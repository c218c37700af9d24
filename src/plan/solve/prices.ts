import { ANY, type Candidate, ELSEWHERE } from "./candidate.ts";
import type { Instance } from "./instance.ts";

/** A candidate on one group of nodes that have one price, and what it takes of the priced rows (1 = all of the group). */
export interface Offer {
  readonly candidate: Candidate;
  /** Index of the group; `ELSEWHERE` without nodes. */
  readonly group: number;
  readonly rows: readonly number[];
  readonly shares: readonly number[];
}

/** Offers of all items, and the groups of nodes behind them. */
export interface Market {
  readonly offers: readonly (readonly Offer[])[];
  readonly groupOf: Int32Array;
  readonly rowCount: number;
}

/** Prices of the rows and the bound that they prove. */
export interface Prices {
  readonly prices: Float64Array;
  /** No solution is worth more. */
  readonly bound: number;
}

/** Nodes of a kind that get a price of their own for being named by an option; more only cost time. */
const OWN_PRICE = 8;

/**
 * Dual feasible functions of Fekete and Schepers (2001), u^(k): whatever fits a bin as amounts x of 1 also fits it as
 * u^(k)(x). They see what sums over many bins cannot: that two items of 5/8 do not share one.
 */
const STEPS = [0, 1, 2, 3, 4];

/** Groups the nodes by price, and lists what each candidate takes of each group's rows: per bin one row a step. */
export function openMarket(instance: Instance): Market {
  const groupOf = new Int32Array(instance.kindOf.length);
  const groups: { readonly kind: number; size: number; readonly node: number }[] = [];
  const groupsOfKind: number[][] = instance.kinds.map(() => []);
  for (const [kind, nodes] of instance.kinds.entries()) {
    const own = nodes.filter((node) => instance.pinned[node] === 1).slice(0, OWN_PRICE);
    const shared = nodes.filter((node) => !own.includes(node));
    for (const members of [...own.map((node) => [node]), shared]) {
      if (members.length === 0) continue;
      for (const node of members) groupOf[node] = groups.length;
      groupsOfKind[kind]?.push(groups.length);
      groups.push({ kind, size: members.length, node: members[0] ?? 0 });
    }
  }
  const rowOf = new Map<string, number>();
  const row = (group: number, bin: number, step: number): number => {
    const key = `${group}/${bin}/${step}`;
    const known = rowOf.get(key);
    if (known !== undefined) return known;
    rowOf.set(key, rowOf.size);
    return rowOf.size - 1;
  };
  const offer = (candidate: Candidate, group: number): Offer => {
    const { size, node } = groups[group] ?? { size: 1, node: 0 };
    const rows: number[] = [];
    const shares: number[] = [];
    for (const [index, bin] of candidate.bins.entries()) {
      const capacity = instance.capacity[(instance.binStart[node] ?? 0) + bin] ?? 1;
      for (const step of STEPS) {
        const share = stepped(candidate.amounts[index] ?? 0, capacity, step);
        if (share === 0) continue;
        rows.push(row(group, bin, step));
        shares.push(share / size);
      }
    }
    return { candidate, group, rows, shares };
  };
  const offers = instance.items.map((candidates) =>
    candidates.flatMap((candidate) => {
      if (candidate.kind === ELSEWHERE) return [{ candidate, group: ELSEWHERE, rows: [], shares: [] }];
      if (candidate.node !== ANY) return [offer(candidate, groupOf[candidate.node] ?? 0)];
      return (groupsOfKind[candidate.kind] ?? []).map((group) => offer(candidate, group));
    }),
  );
  return { offers, groupOf, rowCount: rowOf.size };
}

function stepped(amount: number, capacity: number, k: number): number {
  if (k === 0 || ((k + 1) * amount) % capacity === 0) return amount / capacity;
  return Math.floor(((k + 1) * amount) / capacity) / k;
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
