import { expect, it } from "vitest";

import { RetryBudget } from "./retry-budget.ts";

it("gives out its capacity, then a share of the traffic and a trickle with time", () => {
  const budget = new RetryBudget(0, 2, 0.5, 1);
  expect([budget.take(0), budget.take(0), budget.take(0)]).toEqual([true, true, false]);
  budget.earn();
  expect(budget.take(0)).toBe(false);
  budget.earn();
  expect(budget.take(0)).toBe(true);
  expect(budget.take(900)).toBe(false);
  expect(budget.take(1_000)).toBe(true);
  expect([budget.take(60_000), budget.take(60_000), budget.take(60_000)]).toEqual([true, true, false]);
});
