import { expect, test } from "vitest";

import { BatchPlaces } from "./batch-places.ts";

const never = new AbortController().signal;

test("a model that refuses waits, and another goes on; all together stay below the bound", async () => {
  let now = 0;
  const places = new BatchPlaces(
    (_model, own) => 10 - own,
    3,
    () => now,
  );
  const entered: string[] = [];
  const enter = async (model: string): Promise<() => void> => {
    const leave = await places.enter(model, never);
    entered.push(model);
    return leave;
  };
  const first = await enter("a");
  places.refused("a", 5000);
  first();
  const left = new AbortController();
  const waits = places.enter("a", left.signal).catch(() => "left");
  for (let i = 0; i < 6; i++) places.succeeded("b");
  const all = await Promise.all([enter("b"), enter("b"), enter("b")]);
  expect(entered).toEqual(["a", "b", "b", "b"]);
  const fourth = enter("b");
  now = 6000;
  left.abort();
  expect(await waits).toBe("left");
  expect(entered).toHaveLength(4);
  all[0]?.();
  (await fourth)();
  expect(entered).toHaveLength(5);
  for (const leave of all) leave();
  await expect(places.enter("a", left.signal)).rejects.toThrow("no longer wanted");
  (await enter("a"))();
});
