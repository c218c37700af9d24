import { expect, it } from "vitest";
import { newestOnly } from "./newest-only.ts";

/** Work whose ends are given by hand, in the order in which it was begun. */
function begun(pause = Promise.resolve()) {
  const ends: ((outcome: string | Error) => void)[] = [];
  const asked: string[] = [];
  const told: unknown[] = [];
  const ask = newestOnly(
    async (what: string) => {
      asked.push(what);
      return new Promise<string>((resolve, reject) => {
        ends.push((outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
      });
    },
    async () => pause,
    (what, outcome) => told.push([what, outcome]),
  );
  return { ask, ends, asked, told };
}

const settled = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it("does one at a time, then the newest of what came meanwhile, and tells of that alone", async () => {
  const { ask, ends, asked, told } = begun();
  ask("a");
  await settled();
  ask("b");
  ask("c");
  await settled();
  expect(asked).toEqual(["a"]);
  ends[0]?.("A");
  await settled();
  expect(asked).toEqual(["a", "c"]);
  ends[1]?.("C");
  await settled();
  expect(told).toEqual([["c", { done: "C" }]]);
});

it("takes what came during the pause", async () => {
  const pause = Promise.withResolvers<void>();
  const { ask, asked } = begun(pause.promise);
  ask("a");
  ask("b");
  pause.resolve();
  await settled();
  expect(asked).toEqual(["b"]);
});

it("tells of a failure, and goes on", async () => {
  const { ask, ends, told } = begun();
  const failed = new Error("no");
  ask("a");
  await settled();
  ends[0]?.(failed);
  await settled();
  ask("b");
  await settled();
  ends[1]?.("B");
  await settled();
  expect(told).toEqual([
    ["a", { failed }],
    ["b", { done: "B" }],
  ]);
});
