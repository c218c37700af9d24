import { expect, test } from "vitest";
import { ladderOn, ladderService, SETTINGS } from "../../../test/fakes/ladder-node.ts";
import { GIB } from "../../core/index.ts";
import { effectiveService, usefulRungs } from "./effective-service.ts";

const oracle = ladderService("oracle", "gpu0", ladderOn("gpu0", 2 * GIB, GIB));

test("as planned it is the very service, with nothing asked of others", () => {
  expect(effectiveService(oracle, 0)).toEqual({
    service: oracle,
    rungs: 0,
    unloads: [],
    nextEngine: false,
    restartNeeded: false,
  });
});

test("rungs add up, and those without effect are not counted", () => {
  expect(usefulRungs(oracle).map(({ step }) => step)).toEqual([
    "quantize-kv-cache",
    "halve-context",
    "route-long-prompts",
    "evict-others",
    "next-engine",
    "remote-fallback",
  ]);
  const second = effectiveService(oracle, 2);
  expect(second).toMatchObject({ rungs: 2, unloads: [], nextEngine: false, restartNeeded: true });
  expect(second.service).toMatchObject({
    contextTokens: 4096,
    parallel: 2,
    settings: { ...SETTINGS, kvKeyType: "q8_0", kvValueType: "q8_0", contextTokens: 4096 },
    memory: [{ device: "gpu0", kvCache: GIB, weights: 10 * GIB, total: 13 * GIB }],
  });
  expect(effectiveService(oracle, 4)).toMatchObject({
    longPrompts: { above: 2048, to: "worker" },
    unloads: ["helper"],
    service: { contextTokens: 4096 },
  });
  expect(effectiveService(oracle, 6)).toMatchObject({
    divertedTo: "cloud",
    nextEngine: true,
    engine: "llama.cpp",
    unloads: ["helper"],
  });
});

test("a restart is needed where the engine starts differently, and only there", () => {
  const restarts = [0, 1, 2, 3, 4, 5].map((rung) => effectiveService(oracle, rung + 1, rung).restartNeeded);
  expect(restarts).toEqual([true, true, false, false, true, false]);
  expect(effectiveService(oracle, 0, 2).restartNeeded).toBe(true);
  expect(effectiveService(oracle, 2, 4).restartNeeded).toBe(false);
});

test("terms still add up when more is freed than the cache held", () => {
  const deep = ladderService("deep", "gpu0", [
    {
      step: "offload-experts",
      change: "experts",
      frees: [{ device: "gpu0", bytes: 7 * GIB }],
      settings: SETTINGS,
    },
  ]);
  expect(effectiveService(deep, 1).service.memory).toEqual([
    {
      device: "gpu0",
      kvCache: 0,
      compute: 0,
      weights: 8 * GIB,
      overhead: GIB,
      total: 9 * GIB,
      capacity: 24 * GIB,
    },
  ]);
});
