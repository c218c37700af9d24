import { expect, it } from "vitest";
import { compared, newestOf } from "./measured-beside.ts";
import type { Measured } from "./plan-types.ts";

const start = (time: number, devices: Measured["devices"] = []): Measured => ({
  id: time,
  time,
  service: "oracle",
  model: "big",
  engine: "llama.cpp",
  version: "b1",
  cards: [],
  settings: "",
  devices,
});

it("takes the newest start of a service", () => {
  const starts = [start(1), start(3), { ...start(9), service: "other" }, start(2)];
  expect(newestOf(starts, "oracle")?.time).toBe(3);
  expect(newestOf(starts, "nobody")).toBeUndefined();
});

it("compares what was both predicted and seen", () => {
  const devices = [
    {
      device: "gpu0",
      predicted: { weights: 100, kvCache: 0, total: 200 },
      took: { weights: 98, kvCache: 5, compute: 7 },
    },
  ];
  expect(compared(start(1, devices))).toEqual([
    { device: "gpu0", name: "weights", predicted: 100, took: 98, off: -0.02 },
    { device: "gpu0", name: "KV cache", predicted: 0, took: 5, off: undefined },
  ]);
});
