import fc from "fast-check";
import { expect, test } from "vitest";

import { bruteForce, isFeasible } from "../../../test/fakes/brute-force-solver.ts";
import { smallProblem } from "../../../test/fakes/random-problem.ts";
import { search, upperBound } from "./search.ts";
import { solveExactly } from "./solve-exactly.ts";
import { solve } from "./solve.ts";

const RUNS = Number(process.env["FUZZ_RUNS"] ?? 400);

test("solves exactly: feasible, and worth as much as the best of everything tried", () => {
  fc.assert(
    fc.property(smallProblem(), (problem) => {
      const solution = solveExactly(problem, 1_000_000);
      expect(solution?.optimal).toBe(true);
      expect(isFeasible(problem, solution?.choices ?? [])).toBe(true);
      expect(solution?.value).toBe(bruteForce(problem));
    }),
    { numRuns: RUNS },
  );
});

test("the large search comes within 1 % of the optimum, never over capacity nor over the bound", () => {
  fc.assert(
    fc.property(smallProblem(), (problem) => {
      const solution = search(problem);
      const optimum = solveExactly(problem, 1_000_000)?.value ?? Infinity;
      expect(isFeasible(problem, solution.choices)).toBe(true);
      expect(solution.value).toBeGreaterThanOrEqual(0.99 * optimum);
      expect(upperBound(problem)).toBeGreaterThanOrEqual(optimum);
      expect(solution.optimal && solution.value !== optimum).toBe(false);
    }),
    { numRuns: RUNS },
  );
});

test("the same problem gives the same solution", () => {
  fc.assert(
    fc.property(smallProblem(), (problem) => {
      expect(JSON.stringify(solve(problem))).toBe(JSON.stringify(solve(structuredClone(problem))));
    }),
    { numRuns: 100 },
  );
});
