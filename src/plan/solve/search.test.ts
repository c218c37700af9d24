import fc from "fast-check";
import { expect, test } from "vitest";

import { isFeasible } from "../../../test/fakes/brute-force-solver.ts";
import { randomProblem } from "../../../test/fakes/random-fleet.ts";
import { type ProblemSizes, SMALL, smallProblem } from "../../../test/fakes/random-problem.ts";
import { search, upperBound } from "./search.ts";
import { solveExactly } from "./solve-exactly.ts";

const RUNS = Number(process.env["FUZZ_RUNS"] ?? 0);

test.for<[ProblemSizes, number]>([
  [SMALL, 600],
  [{ items: 10, options: 6, nodes: 3, bins: 4 }, 200],
  [{ items: 16, options: 8, nodes: 5, bins: 4 }, 40],
])("comes within 1 % of the optimum, and the bound lies above it: %o", ([sizes, runs]) => {
  fc.assert(
    fc.property(smallProblem(sizes), (problem) => {
      const optimum = solveExactly(problem, 5_000_000)?.value;
      fc.pre(optimum !== undefined);
      const solution = search(problem);
      expect(isFeasible(problem, solution.choices)).toBe(true);
      expect(solution.value).toBeGreaterThanOrEqual(0.99 * optimum);
      expect(upperBound(problem)).toBeGreaterThanOrEqual(optimum);
      expect(solution.optimal && solution.value !== optimum).toBe(false);
    }),
    { numRuns: Math.max(RUNS, runs) },
  );
});

test("a fleet with room for everything gets the best of each item, and the bound proves it", () => {
  const problem = randomProblem(3, { nodes: 1_000, items: 300 });
  const solution = search(problem);
  expect(isFeasible(problem, solution.choices)).toBe(true);
  expect(solution.optimal).toBe(true);
  expect(solution.value).toBe(upperBound(problem));
});

test("the best of each item proves itself also where values are no integers", () => {
  const problem = randomProblem(3, { nodes: 300, items: 30 });
  const items = problem.items.map(({ name, options }) => ({
    name,
    options: options.map((option) => ({ ...option, value: option.value / 7 })),
  }));
  expect(search({ ...problem, items }).optimal).toBe(true);
});

test("a crowded fleet is filled to within 5 % of the bound", () => {
  for (const seed of [1, 2]) {
    const problem = randomProblem(seed, { nodes: 30, items: 150 });
    const solution = search(problem, 1_000_000);
    expect(isFeasible(problem, solution.choices)).toBe(true);
    expect(solution.value).toBeGreaterThan(0.95 * upperBound(problem));
    expect(solution.value).toBeLessThanOrEqual(upperBound(problem));
  }
});

test("more work finds more for a crowded fleet, and the same work the same", () => {
  const problem = randomProblem(5, { nodes: 10, items: 60 });
  const little = search(problem, 10_000);
  const more = search(problem, 500_000);
  expect(more.value).toBeGreaterThan(little.value);
  expect(JSON.stringify(search(structuredClone(problem), 500_000))).toBe(JSON.stringify(more));
});
