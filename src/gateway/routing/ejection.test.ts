import fc from "fast-check";
import { expect, test } from "vitest";

import type { Standing, StandingChange } from "./ejection.ts";
import { admits, afterTry, EJECTION, ejectionTime, freshStanding, withProbe } from "./ejection.ts";
import type { TryOutcome } from "./router.ts";

/** A service and a clock that is moved by hand. */
class Trial {
  now = 1_000;
  restarts = 0;
  standing: Standing = freshStanding(this.now);
  readonly changes: StandingChange[] = [];

  try(outcome: TryOutcome, times = 1): this {
    for (let at = 0; at < times; at++) {
      const { standing, change } = afterTry(this.standing, outcome, this.now, this.restarts, EJECTION);
      this.standing = standing;
      if (change !== undefined) this.changes.push(change);
    }
    return this;
  }

  later(time: number): this {
    this.now += time;
    return this;
  }

  probe(): this {
    this.standing = withProbe(this.standing, this.now);
    return this;
  }

  get state(): string {
    return admits(this.standing, this.now, this.restarts, EJECTION);
  }
}

test("five broken tries in a row set a service aside, four and a good one do not", () => {
  expect(new Trial().try("broken", 4).try("answered").try("broken", 4).state).toBe("in");
  const trial = new Trial().try("broken", 5);
  expect(trial.state).toBe("out");
  expect(trial.changes).toEqual([{ kind: "ejected", cause: "5 tries in a row broke" }]);
});

test("half of the tries within the window do so too, when there were enough", () => {
  const trial = new Trial();
  for (let at = 0; at < 5; at++) trial.try("answered").try("broken").later(500);
  expect(trial.state).toBe("out");
  expect(trial.changes[0]?.cause).toBe("5 of 10 tries within 30.0 s broke");
  const slow = new Trial();
  for (let at = 0; at < 20; at++) slow.try("answered").try("broken").later(10_000);
  expect(slow.state).toBe("in");
});

test("what a client did says nothing", () => {
  expect(new Trial().try("unblamed", 50).standing).toEqual(freshStanding(1_000));
});

test("after its time one request probes, the rest go elsewhere, and an answer lets it in", () => {
  const trial = new Trial().try("broken", 5).later(4_999);
  expect(trial.state).toBe("out");
  expect(trial.later(1).state).toBe("probe");
  expect(trial.probe().state).toBe("out");
  expect(trial.later(100).try("answered").state).toBe("in");
  expect(trial.changes.map(({ kind, cause }) => `${kind}: ${cause}`)).toEqual([
    "ejected: 5 tries in a row broke",
    "readmitted: a probe was answered",
  ]);
});

test("a probe that breaks doubles the time, up to its bound; one whose client left is none", () => {
  const trial = new Trial().try("broken", 5);
  const times: number[] = [];
  for (let at = 0; at < 9; at++) {
    times.push((trial.standing.out?.until ?? 0) - trial.now);
    trial
      .later(times.at(-1) ?? 0)
      .probe()
      .try("unblamed");
    expect(trial.state).toBe("probe");
    trial.probe().try("broken");
  }
  expect(times).toEqual([5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]);
});

test("a probe that never ends does not keep a service out for good", () => {
  const trial = new Trial().try("broken", 5).later(5_000).probe().later(59_999);
  expect(trial.state).toBe("out");
  expect(trial.later(1).state).toBe("probe");
});

test("tries that began before it was set aside do not change its time", () => {
  const trial = new Trial().try("broken", 5);
  const until = trial.standing.out?.until;
  trial.later(100).try("broken", 3).try("answered");
  expect(trial.standing.out?.until).toBe(until);
  expect(trial.changes).toHaveLength(1);
});

test("a restarted engine is probed at once", () => {
  const trial = new Trial().try("broken", 5);
  trial.restarts = 1;
  expect(trial.state).toBe("probe");
});

test("after a good time as long as it was out the next ejection is as short as the first", () => {
  const trial = new Trial()
    .try("broken", 5)
    .later(5_000)
    .probe()
    .try("broken")
    .later(10_000)
    .probe()
    .try("answered");
  expect(trial.standing.times).toBe(2);
  expect(trial.later(9_999).try("answered").standing.times).toBe(2);
  expect(trial.later(1).try("answered").standing.times).toBe(0);
});

test("whatever happens, times are bounded and a service that is left alone may be probed again", () => {
  const step = fc.tuple(
    fc.constantFrom<TryOutcome>("answered", "broken", "unblamed"),
    fc.nat(20_000),
    fc.boolean(),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const trial = new Trial();
      for (const [outcome, time, probe] of steps) {
        if (probe && trial.state === "probe") trial.probe();
        trial.later(time).try(outcome);
      }
      expect((trial.standing.out?.until ?? trial.now) - trial.now).toBeLessThanOrEqual(EJECTION.longest);
      trial.later(EJECTION.longest);
      expect(trial.state).not.toBe("out");
    }),
  );
  expect(ejectionTime(1_000, EJECTION)).toBe(300_000);
});
