import fc from "fast-check";
import { expect, it } from "vitest";
import { ChatBudget } from "./chat-budget.ts";
import type { ChatPlace } from "./chat-budget.ts";

const BOUNDS = { usualTokens: 10, mostTokens: 100, running: 3, tokensPerMinute: 600 };

it("fills again by the second, and gives back what was reserved and not taken", () => {
  const budget = new ChatBudget(BOUNDS);
  const place = budget.enter("k", 600, 0);
  if (typeof place === "string") throw new Error(place);
  expect(budget.enter("k", 100, 0)).toContain("Ask again in 10 s");
  place.settle(200, 0);
  place.settle(0, 0);
  expect(budget.enter("k", 401, 0)).toContain("has 400 of 600");
  expect(budget.enter("k", 401, 100)).toMatchObject({});
});

it("never lets a key take more at a time, nor more in any minute than twice its tokens", () => {
  const step = fc.record({
    key: fc.constantFrom("a", "b"),
    tokens: fc.integer({ min: 1, max: 700 }),
    took: fc.integer({ min: 0, max: 100 }),
    wait: fc.integer({ min: 0, max: 20_000 }),
    ends: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const budget = new ChatBudget(BOUNDS);
      const open = new Map<string, { place: ChatPlace; tokens: number }[]>();
      const taken: { key: string; at: number; tokens: number }[] = [];
      let now = 0;
      for (const { key, tokens, took, wait, ends } of steps) {
        now += wait;
        const mine = open.get(key) ?? [];
        open.set(key, mine);
        if (ends) {
          const ended = mine.shift();
          const real = Math.min(took, ended?.tokens ?? 0);
          ended?.place.settle(real, now);
          if (ended !== undefined) taken.push({ key, at: now, tokens: real });
        }
        const place = budget.enter(key, tokens, now);
        if (typeof place !== "string") mine.push({ place, tokens });
        expect(mine.length).toBeLessThanOrEqual(BOUNDS.running);
        const lately = taken.filter((one) => one.key === key && one.at > now - 60_000);
        expect(lately.reduce((sum, one) => sum + one.tokens, 0)).toBeLessThanOrEqual(
          2 * BOUNDS.tokensPerMinute,
        );
      }
    }),
  );
});
