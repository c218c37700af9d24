import fc from "fast-check";
import { expect, test } from "vitest";

import { bruteForce, isFeasible } from "../../../test/fakes/brute-force-solver.ts";
import { randomProblem } from "../../../test/fakes/random-fleet.ts";
import { smallProblem } from "../../../test/fakes/random-problem.ts";
import type { Item, Option, Problem } from "./problem.ts";
import { solveExactly } from "./solve-exactly.ts";

const RUNS = Number(process.env["FUZZ_RUNS"] ?? 600);
const WORK = 1_000_000;

function boxes(
  count: number,
  capacities: readonly number[],
  options: readonly (readonly Option[])[],
): Problem {
  const bins = capacities.map((capacity, bin) => ({ name: `bin${bin}`, capacity }));
  const nodes = Array.from({ length: count }, (_, node) => ({ name: `box${node}`, kind: 0, bins }));
  return { nodes, items: options.map((list, index): Item => ({ name: `item${index}`, options: list })) };
}

const takes = (value: number, bin: number, amount: number): Option => ({
  value,
  kind: 0,
  uses: [{ bin, amount }],
});

test("nothing over capacity, nothing shared that is exclusive, nothing missed that fits, and the first of equals", () => {
  fc.assert(
    fc.property(smallProblem(), (problem) => {
      const solution = solveExactly(problem, WORK);
      expect(isFeasible(problem, solution?.choices ?? [])).toBe(true);
      expect(solution).toEqual({ ...bruteForce(problem), optimal: true });
    }),
    { numRuns: RUNS },
  );
});

test("values that are no integers are told apart as well", () => {
  const fractions = smallProblem().map((problem): Problem => {
    const items = problem.items.map(({ name, options }) => ({
      name,
      options: options.map((option) => ({ ...option, value: option.value / 7 })),
    }));
    return { ...problem, items };
  });
  fc.assert(
    fc.property(fractions, (problem) => {
      expect(solveExactly(problem, WORK)?.value).toBeCloseTo(bruteForce(problem).value, 6);
    }),
    { numRuns: 200 },
  );
});

test("the order of the items does not change the value", () => {
  fc.assert(
    fc.property(smallProblem(), (problem) => {
      const reversed = { ...problem, items: problem.items.toReversed() };
      expect(solveExactly(reversed, WORK)?.value).toBe(solveExactly(problem, WORK)?.value);
    }),
    { numRuns: 200 },
  );
});

test("of equally good solutions the first item has a place, its first option and the lowest node", () => {
  const same = [takes(5, 0, 10), takes(5, 1, 10)];
  const choices = solveExactly(boxes(1, [10, 10], [same, same, same]), WORK)?.choices;
  expect(choices).toEqual([{ option: 0, node: 0 }, { option: 1, node: 0 }, undefined]);
  const three = solveExactly(boxes(3, [10], [[takes(5, 0, 6)], [takes(5, 0, 6)]]), WORK)?.choices;
  expect(three).toEqual([
    { option: 0, node: 0 },
    { option: 0, node: 1 },
  ]);
});

test("a small value that fits together beats a large one alone", () => {
  const problem = boxes(1, [10], [[takes(9, 0, 10)], [takes(5, 0, 5)], [takes(5, 0, 5)]]);
  expect(solveExactly(problem, WORK)).toEqual({
    choices: [undefined, { option: 0, node: 0 }, { option: 0, node: 0 }],
    value: 10,
    optimal: true,
  });
});

test("an exclusive bin is held even without an amount, and even if it has no capacity", () => {
  const alone: Option = { value: 7, kind: 0, uses: [], exclusive: [0] };
  expect(solveExactly(boxes(1, [10], [[alone], [takes(6, 0, 1)]]), WORK)?.value).toBe(7);
  expect(solveExactly(boxes(1, [0], [[alone], [alone]]), WORK)?.value).toBe(7);
  expect(solveExactly(boxes(1, [10], [[alone], [takes(6, 0, 0)]]), WORK)?.value).toBe(13);
});

test("what runs elsewhere needs no node", () => {
  const remote: Option = { value: 3, uses: [] };
  expect(solveExactly({ nodes: [], items: [{ name: "api", options: [remote] }] }, WORK)).toEqual({
    choices: [{ option: 0 }],
    value: 3,
    optimal: true,
  });
});

test("says nothing rather than something unproven when the work does not suffice", () => {
  expect(solveExactly(randomProblem(1, { nodes: 3, items: 16 }), 2_000)).toBeUndefined();
});
