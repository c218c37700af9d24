import fc from "fast-check";
import { expect, test } from "vitest";

import { hashText, mixed } from "./hashing.ts";
import type { Equal } from "./rendezvous.ts";
import { boundOf, byRendezvous, withBoundedLoad } from "./rendezvous.ts";

const equal = (service: string, more: Partial<Equal> = {}): Equal => ({
  service,
  seed: hashText(service),
  share: 1,
  parallel: 1,
  ...more,
});

const KEYS = Array.from({ length: 4_000 }, (_, at) => mixed(at + 1));
const replicas = (count: number): Equal[] => Array.from({ length: count }, (_, at) => equal(`oracle-${at}`));
const winner = (among: readonly Equal[], key: number): string => byRendezvous(among, key)[0]?.service ?? "";

test("one more replica takes about its share of the keys and moves no other", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), (count) => {
      const [before, after] = [replicas(count), replicas(count + 1)];
      const moved = KEYS.filter((key) => winner(before, key) !== winner(after, key));
      expect(moved.every((key) => winner(after, key) === `oracle-${count}`)).toBe(true);
      const share = KEYS.length / (count + 1);
      expect(moved.length).toBeGreaterThan(share * 0.8);
      expect(moved.length).toBeLessThan(share * 1.2);
    }),
    { numRuns: 12 },
  );
});

test("a replica that goes leaves its keys to their second choice", () => {
  const all = replicas(5);
  for (const key of KEYS.slice(0, 500)) {
    const [first, second] = byRendezvous(all, key);
    const left = all.filter(({ service }) => service !== first?.service);
    expect(winner(left, key)).toBe(second?.service);
  }
});

test("keys are shared by weight", () => {
  const all = [equal("a", { share: 3 }), equal("b", { share: 1 }), equal("never", { share: 0 })];
  const share = KEYS.filter((key) => winner(all, key) === "a").length / KEYS.length;
  expect(share).toBeGreaterThan(0.72);
  expect(share).toBeLessThan(0.78);
  expect(KEYS.every((key) => byRendezvous(all, key)[2]?.service === "never")).toBe(true);
});

test("bounded load holds: nobody gets more than its share and a quarter, whatever the keys", () => {
  const arrivals = fc.array(fc.nat(40), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 9 }), arrivals, fc.boolean(), (count, keys, weighted) => {
      const running = new Map<string, number>();
      keys.forEach((key, at) => {
        const all = replicas(count).map((one, index) => ({
          ...one,
          share: weighted ? index + 1 : 1,
        }));
        const runningOf = ({ service }: Equal): number => running.get(service) ?? 0;
        const [first] = withBoundedLoad(byRendezvous(all, mixed(key)), runningOf);
        const shares = all.reduce((sum, { share }) => sum + share, 0);
        if (first === undefined) throw new Error("nobody was chosen");
        expect(runningOf(first) + 1).toBeLessThanOrEqual(boundOf(first, at + 1, shares));
        running.set(first.service, runningOf(first) + 1);
      });
    }),
  );
});

test("a key leaves its replica only when that has half of its slots taken and more than its share", () => {
  const key = KEYS[7] ?? 0;
  const [first, ...rest] = byRendezvous([equal("a", { parallel: 8 }), equal("b", { parallel: 8 })], key);
  if (first === undefined) throw new Error("nobody was chosen");
  const order = (running: number): string | undefined =>
    withBoundedLoad([first, ...rest], (one) => (one === first ? running : 0))[0]?.service;
  expect(order(3)).toBe(first.service);
  expect(order(4)).not.toBe(first.service);
});
