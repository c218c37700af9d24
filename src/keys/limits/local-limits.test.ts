import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Caller, KeyLimits } from "../caller.ts";
import type { Admitted } from "../key-gate.ts";
import { LocalLimits } from "./local-limits.ts";

const NOON = Date.parse("2026-11-30T12:00:00Z");

/** A clock that a test moves: both hands go together. */
function hands() {
  let now = 0;
  return {
    wall: () => NOON + now,
    steady: () => now,
    advance: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

const callerWith = (limits: KeyLimits): Caller => ({
  key: "k",
  admin: false,
  upstream: false,
  priority: 5,
  limits,
});

const taken = (limits: LocalLimits, caller: Caller, tokens: number): Admitted | undefined => {
  const answer = limits.admit(caller, tokens);
  return "settle" in answer ? answer : undefined;
};

describe("limits a minute", () => {
  test("come back evenly, and the refusal says when", () => {
    const clock = hands();
    const limits = new LocalLimits([], clock);
    const caller = callerWith({ requestsPerMinute: 60 });
    for (let n = 0; n < 60; n++) expect(limits.admit(caller, 0)).toHaveProperty("settle");
    expect(limits.admit(caller, 0)).toEqual({
      status: 429,
      code: "rate_limit_exceeded",
      message: "The key k may have 60 requests a minute; 60 are used or promised. It fits in 1.0 s.",
      retryAfter: 1,
    });
    expect(limits.state(caller)).toEqual({ requests: { limit: 60, remaining: 0, reset: 60_000 } });
    clock.advance(999);
    expect(limits.admit(caller, 0)).toHaveProperty("status");
    clock.advance(1);
    expect(limits.admit(caller, 0)).toHaveProperty("settle");
    expect(limits.admit(caller, 0)).toHaveProperty("status");
  });

  test("a long answer is a debt that the next ones wait for", () => {
    const clock = hands();
    const limits = new LocalLimits([], clock);
    const caller = callerWith({ tokensPerMinute: 6000 });
    taken(limits, caller, 1000)?.settle(9000);
    const refused = limits.admit(caller, 1000);
    // 9000 used, 1000 wanted, 6000 allowed: 4000 have to come back at 100 a second.
    expect(refused).toMatchObject({ status: 429, retryAfter: 40 });
    clock.advance(40_000);
    expect(limits.admit(caller, 1000)).toHaveProperty("settle");
  });

  test("a request that can never fit is told so, and given no time", () => {
    const refused = new LocalLimits([], hands()).admit(callerWith({ tokensPerMinute: 100 }), 101);
    expect(refused).toMatchObject({ message: expect.stringContaining("it never fits") });
    expect(refused).not.toHaveProperty("retryAfter");
  });

  test("settling twice counts once; nothing is given back that has come back by itself", () => {
    const clock = hands();
    const limits = new LocalLimits([], clock);
    const caller = callerWith({ tokensPerMinute: 1000 });
    const first = taken(limits, caller, 1000);
    clock.advance(60_000);
    const second = taken(limits, caller, 1000);
    first?.settle(0);
    first?.settle(0);
    expect(limits.admit(caller, 1)).toHaveProperty("status");
    second?.settle(0);
    expect(limits.admit(caller, 1000)).toHaveProperty("settle");
  });
});

describe("requests at the same time", () => {
  test("are counted until they are settled", () => {
    const limits = new LocalLimits([], hands());
    const caller = callerWith({ concurrent: 2 });
    const running = [taken(limits, caller, 5), taken(limits, caller, 5)];
    expect(limits.admit(caller, 5)).toMatchObject({
      code: "rate_limit_exceeded",
      retryAfter: 1,
      message: expect.stringContaining("2 requests at the same time; 2 are running"),
    });
    running[0]?.settle(0);
    expect(limits.admit(caller, 5)).toHaveProperty("settle");
  });
});

describe("budgets", () => {
  test("count what the books say already, and start anew at midnight and on the first, UTC", () => {
    const clock = hands();
    const books = [
      { key: "k", day: "2026-11-30", tokens: 600 },
      { key: "k", day: "2026-11-02", tokens: 1000 },
      { key: "other", day: "2026-11-30", tokens: 5000 },
    ];
    const limits = new LocalLimits(books, clock);
    const caller = callerWith({ tokensPerDay: 1000, tokensPerMonth: 2000 });
    expect(limits.admit(caller, 401)).toMatchObject({
      status: 429,
      code: "quota_exceeded",
      message: expect.stringContaining("2 000 tokens a month; 1 600 are used"),
      retryAfter: 12 * 3600,
    });
    const over = taken(limits, caller, 400);
    clock.advance(12 * 3_600_000);
    // The answer ends in December: it counts there.
    over?.settle(900);
    expect(limits.admit(caller, 101)).toMatchObject({
      message: expect.stringContaining("1 000 tokens a day; 900"),
    });
    expect(limits.admit(caller, 100)).toHaveProperty("settle");
  });
});

test("in any window no more tokens are given than the limit and what comes back in it, beside the debts of single answers", () => {
  const step = fc.record({
    wait: fc.constantFrom(0, 1, 1000, 20_000, 60_000),
    promised: fc.constantFrom(1, 200, 400),
    used: fc.constantFrom(0, 1, 400),
    /** How many steps later it is settled. */
    later: fc.integer({ min: 0, max: 5 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), fc.constantFrom(400, 600), (steps, limit) => {
      const clock = hands();
      const limits = new LocalLimits([], clock);
      const caller = callerWith({ tokensPerMinute: limit });
      // What was really used, at the time it was promised or settled, whichever the sum notices first.
      const used: { at: number; tokens: number }[] = [];
      const due: { at: number; settle: () => void }[] = [];
      steps.forEach(({ wait, promised, used: real, later }, index) => {
        clock.advance(wait);
        for (const one of due.filter(({ at }) => at === index)) one.settle();
        const admitted = taken(limits, caller, promised);
        if (admitted === undefined) return;
        const at = clock.steady();
        // No more than promised: debts are what the other test looks at.
        const tokens = Math.min(real, promised);
        const settle = (): void => {
          admitted.settle(tokens);
        };
        used.push({ at, tokens });
        if (later === 0) settle();
        else due.push({ at: index + later, settle });
      });
      let excess = 0;
      for (const [index, first] of used.entries()) {
        let sum = 0;
        for (const last of used.slice(index)) {
          sum += last.tokens;
          excess = Math.max(excess, sum - limit - (limit / 60_000) * (last.at - first.at));
        }
      }
      expect(excess).toBeLessThan(1e-6);
    }),
    { numRuns: 100 },
  );
});

test("a brute-force count of requests agrees, request by request", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 30_000 }), { maxLength: 100 }),
      fc.integer({ min: 1, max: 20 }),
      (waits, limit) => {
        const clock = hands();
        const limits = new LocalLimits([], clock);
        const caller = callerWith({ requestsPerMinute: limit });
        // In whole numbers, millisecond by millisecond: limit × 60 000 units are full, and `limit` come back each.
        let free = limit * 60_000;
        for (const wait of waits) {
          clock.advance(wait);
          free = Math.min(limit * 60_000, free + wait * limit);
          const fits = free >= 60_000;
          if (fits) free -= 60_000;
          // At the very edge the two differ by a rounding of 1e-9 of a request.
          if (Math.abs(free - 60_000) < 1 || (!fits && Math.abs(free - 60_000) < 1)) return;
          expect(taken(limits, caller, 0) !== undefined).toBe(fits);
        }
      },
    ),
  );
});
