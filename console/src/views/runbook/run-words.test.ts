import { expect, it } from "vitest";
import { consentOf, standOf, toneOfStep, withLive } from "./run-words.ts";
import type { Run } from "./runbook-types.ts";

const run = (id: number, more: Partial<Run> = {}): Run => ({
  id,
  spec: "bunker",
  begun: id * 10,
  by: "owner",
  active: false,
  ...more,
});

it("tells a run at work from one that was killed", () => {
  expect(standOf(run(1, { active: true })).word).toBe("at work");
  expect(standOf(run(1)).word).toBe("cut off");
  expect(standOf(run(1, { ended: 5, outcome: "done", active: true }))).toEqual({
    word: "done",
    tone: "good",
  });
});

it("finds the token that a step waits for", () => {
  const evidence = ["Disk nvme, 4 TB, would be formatted. Needs --consent format:S7XXNJ0W123456."];
  expect(consentOf({ state: "waits for consent", evidence })).toBe("format:S7XXNJ0W123456");
  expect(consentOf({ state: "waits for consent", evidence: [] })).toBeUndefined();
  expect(consentOf({ state: "done", evidence })).toBeUndefined();
});

it("gives a state that it does not know no colour", () => {
  expect([toneOfStep({ state: "failed" }), toneOfStep({ state: "dreaming" })]).toEqual(["error", "quiet"]);
});

it("takes the newer word on a run, newest first", () => {
  const merged = withLive(
    [run(2, { active: true }), run(1)],
    [run(2, { ended: 25, outcome: "done" }), run(3)],
  );
  expect(merged.map(({ id, outcome }) => [id, outcome])).toEqual([
    [3, undefined],
    [2, "done"],
    [1, undefined],
  ]);
});
