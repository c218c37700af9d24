import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { balancedSplit, canSplit, leastOverfullSplit, type SplitProblem } from "./llama-cpp-split.ts";

interface Instance {
  readonly slots: readonly number[];
  readonly capacities: readonly number[];
  readonly fixed: number;
}

const problemOf = ({ slots, capacities, fixed }: Instance): SplitProblem => ({
  slots: slots.length,
  capacities,
  bytes: (_, from, to) => fixed + slots.slice(from, to).reduce((sum, bytes) => sum + bytes, 0),
});

const instances: fc.Arbitrary<Instance> = fc.record({
  slots: fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 9 }),
  capacities: fc.array(fc.integer({ min: 1, max: 150 }), { minLength: 1, maxLength: 4 }),
  fixed: fc.integer({ min: 0, max: 10 }),
});

/** Every division of `slots` over so many cards. */
function divisions(slots: number, cards: number): number[][] {
  if (cards === 1) return [[slots]];
  return Array.from({ length: slots + 1 }, (_, first) =>
    divisions(slots - first, cards - 1).map((rest) => [first, ...rest]),
  ).flat();
}

function fullest({ capacities, bytes }: SplitProblem, counts: readonly number[]): number {
  let from = 0;
  return Math.max(
    ...capacities.map((capacity, card) => {
      const to = from + (counts[card] ?? 0);
      const share = bytes(card, from, to) / capacity;
      from = to;
      return share;
    }),
  );
}

describe("division of layers over unequal cards", () => {
  it("misses no division that fits and finds the most even one", () => {
    fc.assert(
      fc.property(instances, (instance) => {
        const problem = problemOf(instance);
        const best = Math.min(
          ...divisions(problem.slots, problem.capacities.length).map((counts) => fullest(problem, counts)),
        );
        const found = balancedSplit(problem);
        expect(canSplit(problem)).toBe(best <= 1);
        expect(found !== undefined).toBe(best <= 1);
        if (found === undefined) return;
        expect(found.reduce((sum, count) => sum + count, 0)).toBe(problem.slots);
        expect(fullest(problem, found)).toBeLessThanOrEqual(best * 1.00001 + 1e-5);
      }),
      { numRuns: 300 },
    );
  });

  it("shows by how little it fails when nothing fits", () => {
    fc.assert(
      fc.property(instances, (instance) => {
        const problem = problemOf(instance);
        const counts = leastOverfullSplit(problem);
        const best = Math.min(
          ...divisions(problem.slots, problem.capacities.length).map((each) => fullest(problem, each)),
        );
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(problem.slots);
        expect(fullest(problem, counts)).toBeLessThanOrEqual(best * 1.0001 + 1e-3);
      }),
      { numRuns: 200 },
    );
  });

  it("relieves the card whose slots are heavy", () => {
    const counts = balancedSplit(
      problemOf({ slots: [10, 10, 10, 40, 40], capacities: [100, 100], fixed: 0 }),
    );
    expect(counts).toEqual([4, 1]);
  });
});
