import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NewEvent } from "../../core/index.ts";
import type { LimitLender } from "../../store/limit-lender.ts";
import type { Caller, KeyLimits } from "../caller.ts";
import type { Admitted, KeyRefusal } from "../key-gate.ts";
import { LimitLedger } from "./limit-ledger.ts";
import { SharedLimits } from "./shared-limits.ts";

const MORNING = Date.parse("2026-11-22T08:00:00Z");

function hands() {
  let now = 0;
  return {
    wall: () => MORNING + now,
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

/** Several processes over one lender, which can be away. */
function processes(count: number) {
  const clock = hands();
  const ledger = new LimitLedger([], clock);
  const events: NewEvent[] = [];
  const link = { away: false, exchanges: 0 };
  const lender: LimitLender = {
    exchange: (holder, asks) => {
      link.exchanges += 1;
      return link.away ? Promise.reject(new Error("away")) : ledger.exchange(holder, asks);
    },
  };
  const all = Array.from(
    { length: count },
    (_, n) => new SharedLimits({ lender, holder: `p${n}`, onEvent: (event) => events.push(event), clock }),
  );
  const ask = async (n: number, caller: Caller, tokens: number): Promise<Admitted | KeyRefusal> => {
    const limits = all[n % count];
    if (limits === undefined) throw new Error("no process");
    return limits.admit(caller, tokens);
  };
  const close = async (): Promise<void> => {
    await Promise.all(all.map((limits) => limits.close()));
  };
  return { all, ask, clock, close, events, link };
}

describe("a limit that several processes keep", () => {
  test("is used up together to the last request, mostly without asking", async () => {
    const { ask, close, link } = processes(3);
    const caller = callerWith({ requestsPerMinute: 1000 });
    let served = 0;
    for (let n = 0; n < 1500; n++) {
      const answer = await ask(n, caller, 0);
      if ("settle" in answer) {
        served += 1;
        answer.settle(0);
      }
    }
    expect(served).toBeLessThanOrEqual(1000);
    expect(served).toBeGreaterThanOrEqual(995);
    expect(link.exchanges).toBeLessThan(1000);
    await close();
  });

  test("is given back by a process that ends", async () => {
    const { all, ask, close } = processes(2);
    const caller = callerWith({ tokensPerDay: 1000 });
    const first = await ask(0, caller, 300);
    if ("settle" in first) first.settle(200);
    await all[0]?.close();
    const second = await ask(1, caller, 800);
    expect(second).toHaveProperty("settle");
    expect(await ask(1, caller, 1)).toMatchObject({ code: "quota_exceeded", retryAfter: 16 * 3600 });
    await close();
  });

  test("counts on alone while nobody lends, and tells it afterwards", async () => {
    const { all, ask, clock, close, events, link } = processes(2);
    const caller = callerWith({ tokensPerDay: 1000 });
    const first = await ask(0, caller, 100);
    if ("settle" in first) first.settle(100);
    link.away = true;
    let alone = 0;
    for (let n = 0; n < 20; n++) {
      const answer = await ask(0, caller, 100);
      if ("settle" in answer) {
        answer.settle(100);
        alone += 100;
      }
    }
    expect(alone).toBe(900);
    expect(events.map(({ kind }) => kind)).toEqual(["limits.alone"]);
    link.away = false;
    clock.advance(2000);
    await all[0]?.close();
    expect(events.map(({ kind }) => kind)).toEqual(["limits.alone", "limits.shared"]);
    expect(await ask(1, caller, 1)).toMatchObject({ code: "quota_exceeded" });
    await close();
  });

  test("is never exceeded by whatever processes do, beside what comes back meanwhile", async () => {
    const step = fc.record({
      process: fc.nat(2),
      wait: fc.integer({ min: 0, max: 4000 }),
      tokens: fc.integer({ min: 1, max: 200 }),
      used: fc.integer({ min: 0, max: 200 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { ask, clock, close } = processes(3);
        const limits = { tokensPerMinute: 1000, tokensPerDay: 3000, concurrent: 3 };
        const caller = callerWith(limits);
        const given: { at: number; tokens: number }[] = [];
        const running: Admitted[] = [];
        let day = 0;
        for (const { process, wait, tokens, used } of steps) {
          clock.advance(wait);
          const answer = await ask(process, caller, tokens);
          if (!("settle" in answer)) {
            running.shift()?.settle(0);
            continue;
          }
          expect(running.length).toBeLessThan(limits.concurrent);
          const real = Math.min(tokens, used);
          given.push({ at: clock.steady(), tokens: real });
          day += real;
          expect(day).toBeLessThanOrEqual(limits.tokensPerDay);
          const counted = { settle: () => answer.settle(real) };
          if (tokens % 3 === 0) running.push(counted);
          else counted.settle();
        }
        let excess = 0;
        for (const [index, first] of given.entries()) {
          let sum = 0;
          for (const last of given.slice(index)) {
            sum += last.tokens;
            // What was lent may be used a few seconds after it was lent (`LOAN_TIME` at most).
            const window = last.at - first.at + 10_000;
            excess = Math.max(excess, sum - 1000 * (1 + window / 60_000));
          }
        }
        expect(excess).toBe(0);
        for (const one of running) one.settle(0);
        await close();
      }),
      { numRuns: 60 },
    );
  });
});
