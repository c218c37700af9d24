import { mixed } from "./hashing.ts";

/** One of several services that can stand for each other. */
export interface Equal {
  readonly service: string;
  /** Hash of its name. */
  readonly seed: number;
  /** Share of the work it is meant to have; 0 only when nobody else can. */
  readonly share: number;
  /** Requests that it computes at the same time. */
  readonly parallel: number;
}

/**
 * Equals in the order in which a key prefers them: rendezvous (highest random weight) hashing, D. Thaler and C. Ravishankar,
 * 1998. One that is added takes over its share of the keys and moves no other; one that goes leaves its keys to the next.
 */
export function byRendezvous<E extends Pick<Equal, "seed" | "share">>(
  equals: readonly E[],
  key: number,
): E[] {
  const ordered: E[] = [];
  const scores: number[] = [];
  // Sorted by insertion: they are few.
  for (const equal of equals) {
    const score = scoreOf(equal, key);
    let at = ordered.length;
    ordered.push(equal);
    scores.push(score);
    for (; at > 0; at--) {
      const [before, held] = [scores[at - 1] ?? 0, ordered[at - 1]];
      if (before <= score || held === undefined) break;
      scores[at] = before;
      ordered[at] = held;
    }
    scores[at] = score;
    ordered[at] = equal;
  }
  return ordered;
}

/** Smallest wins: exponentially distributed with the share as rate, so that each wins its share of the keys. */
const scoreOf = ({ seed, share }: Pick<Equal, "seed" | "share">, key: number): number =>
  share > 0 ? -Math.log((mixed(key ^ seed) + 0.5) / 2 ** 32) / share : Infinity;

/** By how much one may be ahead of its share: consistent hashing with bounded loads, Mirrokni, Thorup, Zadimoghaddam, 2016. */
const BOUND = 1.25;

/**
 * Puts those that have their share of the requests in flight already behind the others, both in their order. One whose
 * slots are half free is never full: there a request that goes elsewhere would only lose its cache.
 */
export function withBoundedLoad<E extends Equal>(
  ordered: readonly E[],
  running: (equal: E) => number,
): readonly E[] {
  let requests = 1;
  let shares = 0;
  for (const equal of ordered) {
    requests += running(equal);
    shares += equal.share;
  }
  const full = (equal: E): boolean => running(equal) + 1 > boundOf(equal, requests, shares);
  const [first] = ordered;
  if (first === undefined || !full(first)) return ordered;
  return [...ordered.filter((equal) => !full(equal)), ...ordered.filter(full)];
}

/** Requests that one may have, when there are `requests` on services with `shares` together. */
export const boundOf = (
  { share, parallel }: Pick<Equal, "share" | "parallel">,
  requests: number,
  shares: number,
): number => Math.max(1, parallel >> 1, shares > 0 ? Math.ceil((BOUND * requests * share) / shares) : 0);
