import fc from "fast-check";
import { expect, test } from "vitest";

import { bruteForce } from "../../../test/fakes/brute-force-solver.ts";
import { equalCards } from "../../../test/fakes/random-problem.ts";
import { compile } from "./instance.ts";
import type { Option, Problem } from "./problem.ts";
import { search, upperBound } from "./search.ts";
import { solveExactly } from "./solve-exactly.ts";
import { findSymmetries } from "./symmetry.ts";

const RUNS = Number(process.env["FUZZ_RUNS"] ?? 200);

function oneNode(capacities: readonly number[], ...items: readonly (readonly Option[])[]): Problem {
  const bins = capacities.map((capacity, bin) => ({ name: `card${bin}`, capacity }));
  return {
    nodes: [{ name: "box", kind: 0, bins }],
    items: items.map((options, index) => ({ name: `item${index}`, options })),
  };
}

const on = (value: number, amount: number, ...cards: number[]): Option => ({
  value,
  kind: 0,
  uses: cards.map((bin) => ({ bin, amount })),
});

const exchanged = (problem: Problem): readonly string[] =>
  findSymmetries(compile(problem)).map(({ bins }) => bins.join(""));

test("on equal cards nothing is missed, and the search comes within 1 %", () => {
  fc.assert(
    fc.property(equalCards(), (problem) => {
      const best = bruteForce(problem);
      expect(solveExactly(problem, 1_000_000)).toEqual({ ...best, optimal: true });
      expect(search(problem).value).toBeGreaterThanOrEqual(0.99 * best.value);
      expect(upperBound(problem)).toBeGreaterThanOrEqual(best.value);
    }),
    { numRuns: RUNS },
  );
});

test("cards that every item treats alike can be exchanged, one by one or pair by pair", () => {
  const everywhere = [on(9, 6, 0), on(9, 6, 1), on(9, 6, 2), on(9, 6, 3)];
  expect(exchanged(oneNode([8, 8, 8, 8], everywhere, everywhere))).toEqual([
    "1023",
    "2103",
    "3120",
    "0213",
    "0321",
    "0132",
    "2301",
  ]);
  const pairs = [on(9, 6, 0, 1), on(9, 6, 2, 3)];
  expect(exchanged(oneNode([8, 8, 8, 8], pairs, pairs))).toEqual(["1023", "0132", "2301"]);
});

test("cards of other sizes, of other values or named by an item cannot", () => {
  const both = [on(9, 6, 0), on(9, 6, 1)];
  expect(exchanged(oneNode([8, 9], both, both))).toEqual([]);
  expect(exchanged(oneNode([8, 8], both, [on(9, 6, 0), on(8, 6, 1)]))).toEqual([]);
  expect(exchanged(oneNode([8, 8], both, [on(9, 6, 1)]))).toEqual([]);
});
