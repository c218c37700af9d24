import fc from "fast-check";
import { expect, test } from "vitest";

import { isFeasible } from "../../../test/fakes/brute-force-solver.ts";
import { smallProblem } from "../../../test/fakes/random-problem.ts";
import type { Choice, Item, Option, Problem } from "./problem.ts";
import { solve } from "./solve.ts";
import { type SwapAssignment, findSwapSets } from "./swap-sets.ts";

const FREELY = { mayShare: () => true, pinned: () => false };

const on = (value: number, ...amounts: number[]): Option => ({
  value,
  kind: 0,
  uses: amounts.flatMap((amount, bin) => (amount > 0 ? [{ bin, amount }] : [])),
});

const item = (name: string, ...options: Option[]): Item => ({ name, options });

function oneNode(capacities: readonly number[], ...items: readonly Item[]): Problem {
  const bins = capacities.map((capacity, bin) => ({ name: `bin${bin}`, capacity }));
  return { nodes: [{ name: "box", kind: 0, bins }], items };
}

/** Every state of the node: the items outside sets, and of each set one member. */
function moments(
  problem: Problem,
  choices: readonly (Choice | undefined)[],
  sets: readonly SwapAssignment[],
): readonly (readonly (Choice | undefined)[])[] {
  const members = new Set(sets.flatMap((set) => set.members.map((member) => member.item)));
  let states = [problem.items.map((_, index) => (members.has(index) ? undefined : choices[index]))];
  for (const { node, members: turns } of sets) {
    states = states.flatMap((state) =>
      turns.map((turn) => state.with(turn.item, { option: turn.option, node })),
    );
  }
  return states;
}

test("no bin is over capacity and no exclusive bin shared, whichever member of each set is loaded", () => {
  fc.assert(
    fc.property(
      smallProblem({ items: 10, options: 3, nodes: 2, bins: 2 }),
      fc.array(fc.boolean(), { maxLength: 4 }),
      (problem, fixed) => {
        const solution = solve(problem);
        const sets = findSwapSets(problem, solution, {
          mayShare: () => true,
          pinned: (index) => fixed[index] ?? false,
        });
        for (const state of moments(problem, solution.choices, sets))
          expect(isFeasible(problem, state)).toBe(true);
        const members = sets.flatMap((set) => set.members);
        expect(new Set(members.map((member) => member.item)).size).toBe(members.length);
        expect(members.filter((member) => fixed[member.item] === true)).toEqual([]);
        for (const { node, members: turns } of sets) {
          expect(turns.length).toBeGreaterThan(1);
          expect(turns.some((turn) => solution.choices[turn.item]?.node === node)).toBe(true);
        }
      },
    ),
    { numRuns: 400 },
  );
});

test("an item stays without a turn only where it would not fit in place of all that may take turns", () => {
  fc.assert(
    fc.property(
      smallProblem({ items: 8, options: 4, nodes: 2, bins: 3 }),
      fc.array(fc.boolean()),
      (problem, fixed) => {
        const solution = solve(problem);
        const pinned = (index: number): boolean => fixed[index] ?? false;
        const sets = findSwapSets(problem, solution, { mayShare: () => true, pinned });
        const turning = new Set(sets.flatMap((set) => set.members.map((member) => member.item)));
        const pins = solution.choices.map((choice, index) => (pinned(index) ? choice : undefined));
        for (const [index, { options }] of problem.items.entries()) {
          if (turning.has(index) || solution.choices[index] !== undefined || pinned(index)) continue;
          for (const [option, { kind }] of options.entries()) {
            for (const node of problem.nodes.keys()) {
              const taken = solution.choices.some((choice, other) => choice?.node === node && !pinned(other));
              if (kind === undefined || !taken) continue;
              expect(isFeasible(problem, pins.with(index, { option, node }))).toBe(false);
            }
          }
        }
      },
    ),
    { numRuns: 400 },
  );
});

test("takes turns with the one item whose place is enough, and reserves the most of both", () => {
  const problem = oneNode(
    [24, 64],
    item("chat", on(90, 20, 4)),
    item("embed", on(50, 0, 30)),
    item("coder", on(80, 18, 10)),
  );
  const solution = solve(problem);
  expect(solution.choices).toEqual([{ option: 0, node: 0 }, { option: 0, node: 0 }, undefined]);
  expect(findSwapSets(problem, solution, FREELY)).toEqual([
    {
      node: 0,
      members: [
        { item: 0, option: 0 },
        { item: 2, option: 0 },
      ],
      reserve: [
        { bin: 0, amount: 20 },
        { bin: 1, amount: 10 },
      ],
    },
  ]);
});

test("of items on equal cards the least valuable one gives up its place", () => {
  const problem = oneNode(
    [10, 10],
    item("a", on(90, 8)),
    item("b", on(60, 0, 8)),
    item("c", on(50, 8), on(50, 0, 8)),
  );
  const sets = findSwapSets(problem, solve(problem), FREELY);
  expect(sets.map((set) => set.members.map((member) => member.item))).toEqual([[1, 2]]);
});

test("a third item joins the set rather than disturb another", () => {
  const both = [on(10, 8), on(10, 0, 8)];
  const problem = oneNode(
    [10, 10],
    item("a", ...both),
    item("b", ...both),
    item("c", ...both),
    item("d", ...both),
  );
  const sets = findSwapSets(problem, solve(problem), FREELY);
  expect(sets.map((set) => set.members.map((member) => member.item))).toEqual([[0, 2, 3]]);
});

test("a set counts as the most of its members for what is beside it", () => {
  const problem = oneNode(
    [16],
    item("a", on(9, 8)),
    item("b", on(3, 3)),
    item("c", on(2, 10)),
    item("d", on(8, 8)),
  );
  const sets = findSwapSets(problem, solve(problem), FREELY);
  expect(sets.map((set) => set.members.map((member) => member.item))).toEqual([[0, 1, 2, 3]]);
});

test("two sets are not made one where a single item can make room", () => {
  const [left, right] = [on(9, 8), on(9, 0, 8)];
  const wide = [on(4, 9, 9), on(4, 0, 0, 8)];
  const problem = oneNode(
    [10, 10, 10],
    item("a", left),
    item("b", right),
    item("c", on(8, 0, 0, 8)),
    item("d", on(6, 8)),
    item("e", on(5, 0, 8)),
    item("f", ...wide),
  );
  const sets = findSwapSets(problem, solve(problem), FREELY);
  expect(sets.map((set) => set.members.map((member) => member.item))).toEqual([
    [0, 3],
    [1, 4],
    [2, 5],
  ]);
});

test("an item over two cards takes turns with what is on both", () => {
  const problem = oneNode(
    [10, 10],
    item("a", on(30, 8)),
    item("b", on(30, 0, 8)),
    item("large", on(40, 9, 9)),
  );
  const [set] = findSwapSets(problem, solve(problem), FREELY);
  expect(set?.members.map((member) => member.item)).toEqual([0, 1, 2]);
  expect(set?.reserve).toEqual([
    { bin: 0, amount: 9 },
    { bin: 1, amount: 9 },
  ]);
});

test("neither a pinned item nor one that does not share gives up its place", () => {
  const problem = oneNode([10], item("a", on(30, 8)), item("b", on(20, 8)));
  const solution = solve(problem);
  expect(findSwapSets(problem, solution, { mayShare: () => true, pinned: (index) => index === 0 })).toEqual(
    [],
  );
  expect(findSwapSets(problem, solution, { mayShare: (index) => index === 1, pinned: () => false })).toEqual(
    [],
  );
  expect(findSwapSets(problem, solution, { mayShare: (index) => index === 0, pinned: () => false })).toEqual(
    [],
  );
});

test("an exclusive bin is shared inside the set, never with what is outside", () => {
  const alone: Option = { ...on(40, 1), exclusive: [0] };
  const inside = oneNode([10], item("a", alone), item("b", on(30, 8)));
  expect(findSwapSets(inside, solve(inside), FREELY)).toHaveLength(1);
  const outside = oneNode([10], item("a", on(90, 1)), item("b", alone));
  const pinned = { mayShare: () => true, pinned: (index: number) => index === 0 };
  expect(findSwapSets(outside, solve(outside), pinned)).toEqual([]);
});
