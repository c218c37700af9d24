import { expect, test } from "vitest";
import { freshSigns, stalledFor, wantsProof, withLoad, withProof } from "./vital-signs.ts";

const busy = (progress: number) => ({ running: 1, waiting: 2, progress });
const idle = { running: 0, waiting: 0, progress: 5 };

test("an engine with work that does not move is stalled, one that moves or has none is not", () => {
  let signs = withLoad(freshSigns(0), busy(5), 1000);
  expect(stalledFor(signs, 120_000, 120_000)).toBeUndefined();
  signs = withLoad(signs, busy(5), 60_000);
  expect(stalledFor(signs, 121_000, 120_000)).toMatchObject({
    code: "engine.stalled",
    message: "It has work (1 running, 2 waiting) and made no progress for 2 m 0 s.",
  });
  expect(stalledFor(withLoad(signs, busy(6), 121_000), 122_000, 120_000)).toBeUndefined();
  expect(stalledFor(withLoad(signs, idle, 121_000), 500_000, 120_000)).toBeUndefined();
  expect(stalledFor(withLoad(freshSigns(0), { running: 9 }, 0), 500_000, 120_000)).toBeUndefined();
});

test("work that begins after a long rest has its whole time", () => {
  const rested = withLoad(withLoad(freshSigns(0), idle, 0), idle, 500_000);
  expect(stalledFor(withLoad(rested, busy(5), 501_000), 600_000, 120_000)).toBeUndefined();
});

test("only an engine that nobody uses, and that has proved nothing for a while, is asked for a token", () => {
  const signs = withLoad(freshSigns(0), idle, 0);
  expect(wantsProof(signs, 0, 59_000, 60_000)).toBe(false);
  expect(wantsProof(signs, 0, 60_000, 60_000)).toBe(true);
  expect(wantsProof(signs, 1, 60_000, 60_000)).toBe(false);
  expect(wantsProof(withLoad(signs, busy(6), 50_000), 0, 90_000, 60_000)).toBe(false);
  const worked = withLoad(signs, { ...idle, progress: 9 }, 50_000);
  expect(wantsProof(worked, 0, 60_000, 60_000)).toBe(false);
});

test("one bad answer is asked about again, two are a failure, and a good one forgives", () => {
  const silent = { kind: "silent", reason: "no answer within 30.0 s" } as const;
  const once = withProof(freshSigns(0), silent, 10);
  expect(once.failure).toBeUndefined();
  expect(wantsProof(once.signs, 0, 11, 60_000)).toBe(true);
  expect(withProof(once.signs, silent, 20).failure).toMatchObject({ code: "engine.stalled" });
  const wrong = withProof(once.signs, { kind: "wrong", reason: "no choices" }, 20);
  expect(wrong.failure).toMatchObject({ code: "engine.wrong-answer", recoverable: true });
  const good = withProof(once.signs, undefined, 20).signs;
  expect(withProof(good, silent, 30).failure).toBeUndefined();
});
