import fc from "fast-check";
import { expect, test } from "vitest";

import { isFeasible } from "../../../test/fakes/brute-force-solver.ts";
import { randomProblem } from "../../../test/fakes/random-fleet.ts";
import { smallProblem } from "../../../test/fakes/random-problem.ts";
import type { Option, Problem } from "./problem.ts";
import { solveExactly } from "./solve-exactly.ts";
import { solve } from "./solve.ts";

test("a small problem has the exact solution, choice by choice", () => {
  fc.assert(
    fc.property(smallProblem(), (problem) => {
      expect(solve(problem)).toEqual(solveExactly(problem, 1_000_000));
    }),
    { numRuns: 300 },
  );
});

test("the same problem gives the same solution, byte for byte", () => {
  fc.assert(
    fc.property(smallProblem({ items: 12, options: 6, nodes: 4, bins: 4 }), (problem) => {
      expect(JSON.stringify(solve(structuredClone(problem)))).toBe(JSON.stringify(solve(problem)));
    }),
    { numRuns: 50 },
  );
});

test("without work for a proof it falls back to the search and does not claim one", () => {
  const problem = randomProblem(2, { nodes: 3, items: 20 });
  const solution = solve(problem, { exactWork: 100, searchWork: 100_000 });
  expect(solution.optimal).toBe(false);
  expect(isFeasible(problem, solution.choices)).toBe(true);
});

test("another node and an item that only fits there leave the rest as it was", () => {
  fc.assert(
    fc.property(smallProblem(), (problem) => {
      const kind = 2;
      const node = { name: "apart", kind, bins: [{ name: "card", capacity: 4 }] };
      const item = { name: "loner", options: [{ value: 11, kind, uses: [{ bin: 0, amount: 3 }] }] };
      const wider: Problem = { nodes: [...problem.nodes, node], items: [item, ...problem.items] };
      const [first, ...rest] = solve(wider).choices;
      expect(first).toEqual({ option: 0, node: problem.nodes.length });
      expect(rest).toEqual(solve(problem).choices);
    }),
    { numRuns: 200 },
  );
});

test.for<[string, Partial<Option>, RegExp]>([
  ["a value of 0", { value: 0 }, /option 0 of chat: value 0/],
  ["a value without end", { value: Infinity }, /option 0 of chat: value Infinity/],
  ["a negative amount", { uses: [{ bin: 0, amount: -1 }] }, /amount of option 0 of chat: -1/],
  ["half a byte", { uses: [{ bin: 0, amount: 0.5 }] }, /amount of option 0 of chat: 0.5/],
  ["a bin that the node lacks", { uses: [{ bin: 1, amount: 1 }] }, /bin of option 0 of chat: 1/],
  ["an exclusive bin that the node lacks", { exclusive: [3] }, /exclusive bin of option 0 of chat: 3/],
  ["a node that is not there", { node: 2 }, /node of option 0 of chat: 2/],
])("refuses %s", ([, wrong, message]) => {
  const option: Option = { value: 1, kind: 0, uses: [], ...wrong };
  const nodes = [{ name: "box", kind: 0, bins: [{ name: "card", capacity: 10 }] }];
  expect(() => solve({ nodes, items: [{ name: "chat", options: [option] }] })).toThrow(message);
});

test("refuses nodes of one kind with different bins, and an option on a kind that no node has gets no place", () => {
  const node = (name: string, capacity: number) => ({ name, kind: 0, bins: [{ name: "card", capacity }] });
  expect(() => solve({ nodes: [node("a", 10), node("b", 12)], items: [] })).toThrow(
    "nodes a and b are of kind 0, but their bins differ",
  );
  const missing = { name: "chat", options: [{ value: 1, kind: 4, uses: [{ bin: 0, amount: 1 }] }] };
  expect(solve({ nodes: [node("a", 10)], items: [missing] })).toEqual({
    choices: [undefined],
    value: 0,
    optimal: true,
  });
});
