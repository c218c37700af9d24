import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { placed } from "../../../test/fakes/empty-plan.ts";
import { GIB, MIB } from "../../core/index.ts";
import type { Learned } from "../../plan/index.ts";
import { openStore } from "../../store/index.ts";
import type { Measurement } from "../../store/index.ts";
import { learnedFrom, measuredHere } from "./learned.ts";
import { createLearning } from "./learning.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const TERMS = {
  weights: 8 * GIB,
  kvCache: 4 * GIB,
  compute: GIB,
  overhead: GIB,
  parts: [],
  capacity: 32 * GIB,
};
const service = (kind: string, total: number): ReturnType<typeof placed> =>
  placed("chat", {
    engine: { name: kind, kind, version: "1" },
    devices: ["gpu0"],
    kvCache: {
      bytesPerToken: 1000,
      type: "f16",
      bytes: 4 * GIB,
      tokens: 100_000,
      concurrency: 1,
    },
    memory: [{ device: "gpu0", total, ...TERMS }],
  });

/** What nodes remember of starts: by kind, what the plan predicted and what was taken. */
function remembered(
  starts: readonly {
    kind: string;
    predicted: number;
    took: number;
    kvTokens?: number;
    learned?: readonly Learned[];
  }[],
  simulated = false,
): readonly Measurement[] {
  const folder = mkdtempSync(join(tmpdir(), "omni-learned-"));
  folders.push(folder);
  for (const { kind, predicted, took, kvTokens, learned = [] } of starts) {
    const store = openStore(folder);
    const planned = service(kind, predicted);
    createLearning({
      measurements: store.measurements,
      simulated,
      cardModel: () => "RTX 5090",
      planned: () => planned,
      learned,
    }).record({
      service: planned,
      kind,
      predicted: planned.memory,
      took: { devices: [], ...(kvTokens === undefined ? {} : { kvTokens }) },
      cards: [{ device: "gpu0", bytes: took, by: "process" }],
      loadTime: 1000,
    });
    store.close();
  }
  return measuredHere(folder);
}
const beyond = (measured: readonly Measurement[]): readonly number[] =>
  learnedFrom(measured).flatMap((one) => one.beyond);

test("what llama.cpp took of a card beyond the prediction is learned, whatever its cache says", () => {
  const measured = remembered([
    { kind: "llama.cpp", predicted: 14 * GIB, took: 15 * GIB, kvTokens: 100_000 },
  ]);
  expect(learnedFrom(measured)).toMatchObject([{ model: "chat", engine: "llama.cpp", beyond: [GIB] }]);
  expect(learnedFrom(measured)[0]?.measured).toMatch(/^\d{4}-\d\d-\d\d, RTX 5090$/);
});

test("of an engine that fills its share the cache that is missing is learned", () => {
  const kvTokens = 75_000;
  expect(beyond(remembered([{ kind: "vllm", predicted: 30 * GIB, took: 31 * GIB, kvTokens }]))).toEqual([
    GIB,
  ]);
});

test("noise, more than a quarter, and a start that nobody could look at teach nothing", () => {
  expect(beyond(remembered([{ kind: "llama.cpp", predicted: 14 * GIB, took: 14 * GIB + 8 * MIB }]))).toEqual(
    [],
  );
  expect(beyond(remembered([{ kind: "llama.cpp", predicted: 12 * GIB, took: 15 * GIB + MIB }]))).toEqual([]);
  expect(beyond(remembered([{ kind: "llama.cpp", predicted: 12 * GIB, took: 15 * GIB }]))).toEqual([3 * GIB]);
  expect(beyond(remembered([{ kind: "vllm", predicted: 30 * GIB, took: 31 * GIB }]))).toEqual([]);
});

test("simulated engines teach nothing", () => {
  expect(remembered([{ kind: "llama.cpp", predicted: 14 * GIB, took: 15 * GIB }], true)).toEqual([]);
});

test("a corrected start that fits teaches the same again, and not its own rest", () => {
  const learned = [{ model: "chat", engine: "llama.cpp", beyond: [GIB], measured: "" }];
  const took = 15 * GIB + 32 * MIB;
  const llama = remembered([
    { kind: "llama.cpp", predicted: 14 * GIB, took: 15 * GIB },
    { kind: "llama.cpp", predicted: 15 * GIB, took, learned },
  ]);
  expect(beyond(llama)[0]).toBe(GIB + 32 * MIB);
  expect(llama[0]?.devices[0]?.predicted.total).toBe(14 * GIB);

  // 4 GiB of cache for 100 000 tokens are what is left after 1 GiB: bare, it would be 5 GiB for 125 000.
  const [vllm] = remembered([
    {
      kind: "vllm",
      predicted: 30 * GIB,
      took: 30 * GIB,
      kvTokens: 100_000,
      learned: [{ model: "chat", engine: "vllm", beyond: [GIB], measured: "" }],
    },
  ]);
  expect([vllm?.predictedKvTokens, vllm?.devices[0]?.predicted.kvCache]).toEqual([125_000, 5 * GIB]);
  expect(beyond(vllm === undefined ? [] : [vllm])).toEqual([GIB]);
});

test("a damaged database teaches nothing and stands in nobody's way", () => {
  const folder = mkdtempSync(join(tmpdir(), "omni-learned-"));
  folders.push(folder);
  openStore(folder).close();
  writeFileSync(join(folder, "omni.db"), "this is no database any more".repeat(1000));
  expect(measuredHere(folder)).toEqual([]);
});
