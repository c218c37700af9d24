import { expect, test } from "vitest";

import { compile } from "./instance.ts";
import type { Option, Problem } from "./problem.ts";
import { findSymmetries } from "./symmetry.ts";
import { VisitedStates } from "./visited-states.ts";

const on = (amount: number, bin: number): Option => ({ value: 1, kind: 0, uses: [{ bin, amount }] });

function states(amounts: readonly number[]): {
  readonly visited: VisitedStates;
  readonly free: Float64Array;
} {
  const bins = [10, 10].map((capacity, bin) => ({ name: `card${bin}`, capacity }));
  const items = amounts.map((amount, index) => ({
    name: `item${index}`,
    options: [on(amount, 0), on(amount, 1)],
  }));
  const problem: Problem = { nodes: [{ name: "box", kind: 0, bins }], items };
  const instance = compile(problem);
  const free = Float64Array.from(instance.capacity);
  return { visited: new VisitedStates(instance, findSymmetries(instance), [...items.keys()], free), free };
}

test("a state is known where it was reached with at least the value, after as many items", () => {
  const { visited } = states([8, 8, 8, 8]);
  expect(visited.known(2, 5)).toBe(false);
  expect(visited.known(2, 5)).toBe(true);
  expect(visited.known(2, 4)).toBe(true);
  expect(visited.known(2, 6)).toBe(false);
  expect(visited.known(1, 4)).toBe(false);
});

test("equal cards may be the other way round, and room that nothing could take does not count", () => {
  const { visited, free } = states([6, 6, 3, 2]);
  free.set([4, 9]);
  expect(visited.known(2, 5)).toBe(false);
  free.set([9, 4]);
  expect(visited.known(2, 5)).toBe(true);
  free.set([5, 4]);
  expect(visited.known(2, 5)).toBe(true);
  free.set([5, 3]);
  expect(visited.known(2, 5)).toBe(false);
});
