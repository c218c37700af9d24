import { expect, test } from "vitest";
import { QWEN3_4B } from "../memory/shapes.fixture.ts";
import { locatedSpec } from "../../test/fakes/located-spec.ts";
import { ggufOf } from "../../test/fakes/shapes.ts";
import { GIB } from "../core/index.ts";
import { planNode } from "./index.ts";
import type { Learned, Plan, PlanInput } from "./index.ts";

const specOf = (service: string, policies = ""): PlanInput["spec"] =>
  locatedSpec(`metal:
  platform: linux
  cpu: { cores: 16, threads: 32 }
  memory: { size: 96GB }
  gpus: { gpu0: { model: RTX 5090 }, gpu1: { model: RTX 5090 } }
models: { m: ./m.gguf }
${policies}
services: { s: { model: m, ${service} } }
`).spec;

const MEASURED = "2026-11-22, RTX 5090";
const plan = (
  spec: PlanInput["spec"],
  shape: ReturnType<typeof ggufOf>,
  learned?: readonly Learned[],
): Plan => planNode({ spec, shapes: new Map([["m", shape]]), ...(learned === undefined ? {} : { learned }) });
const service = ({ services }: Plan): Plan["services"][number] => {
  const [first] = services;
  if (first === undefined) throw new Error("nothing was placed");
  return first;
};
const took = (made: Plan, device: string): number =>
  made.ledger?.find((one) => one.device === device)?.entries.reduce((sum, { bytes }) => sum + bytes, 0) ?? 0;

const FIXED = specOf("engine: llama.cpp, devices: gpu0, context: 8192, parallel: 2");

test("llama.cpp: a card that took 1 GiB more makes the ledger larger by exactly that", () => {
  const before = plan(FIXED, ggufOf(8));
  const after = plan(FIXED, ggufOf(8), [
    { model: "m", engine: "llama.cpp", beyond: [GIB], measured: MEASURED },
  ]);
  expect(took(after, "gpu0") - took(before, "gpu0")).toBe(GIB);
  const [card] = service(after).memory;
  expect(card?.parts?.find(({ name }) => name === "measured beyond the prediction")).toMatchObject({
    term: "overhead",
    bytes: GIB,
  });
  expect(service(after)).toMatchObject({ contextTokens: 8192, parallel: 2 });
});

test("llama.cpp: each card has its own correction, and less than predicted is not counted on", () => {
  const two = specOf("engine: llama.cpp, devices: [gpu0, gpu1], context: 8192, parallel: 2");
  const before = plan(two, ggufOf(20));
  const after = plan(two, ggufOf(20), [
    { model: "m", engine: "llama.cpp", beyond: [GIB, -GIB / 2], measured: MEASURED },
  ]);
  expect(took(after, "gpu0") - took(before, "gpu0")).toBe(GIB);
  expect(took(after, "gpu1") - took(before, "gpu1")).toBe(0);
});

test("llama.cpp: where the room is taken, the correction comes out of context or requests", () => {
  const auto = specOf("engine: llama.cpp, devices: gpu0");
  const model = ggufOf(28, 262_144);
  const before = service(plan(auto, model));
  const after = service(
    plan(auto, model, [{ model: "m", engine: "llama.cpp", beyond: [GIB / 2], measured: MEASURED }]),
  );
  expect(after.contextTokens * after.parallel).toBeLessThan(before.contextTokens * before.parallel);
  const [card] = after.memory;
  expect(card?.total).toBeLessThanOrEqual(card?.capacity ?? 0);
});

test("vLLM: what a card took beyond comes out of its cache, byte for byte but for whole blocks", () => {
  const paged = specOf("engine: vllm, devices: gpu0, context: 8192");
  const before = service(plan(paged, QWEN3_4B));
  const after = service(
    plan(paged, QWEN3_4B, [{ model: "m", engine: "vllm", beyond: [GIB], measured: MEASURED }]),
  );
  const [was, is] = [before.memory[0]?.kvCache ?? 0, after.memory[0]?.kvCache ?? 0];
  const block = 16 * (before.kvCache?.bytesPerToken ?? 0);
  expect(Math.abs(was - is - GIB)).toBeLessThanOrEqual(block);
  expect(after.memory[0]?.total).toBeLessThanOrEqual((before.memory[0]?.total ?? 0) + block);
  expect((before.kvCache?.tokens ?? 0) - (after.kvCache?.tokens ?? 0)).toBeGreaterThan(
    GIB / (before.kvCache?.bytesPerToken ?? 1) - 32,
  );
});

test("the plan is byte for byte the one of before where nothing that was measured is about it", () => {
  const before = JSON.stringify(plan(FIXED, ggufOf(8)));
  for (const learned of [
    [],
    [{ model: "other", engine: "llama.cpp", beyond: [GIB], measured: MEASURED }],
    [{ model: "m", engine: "vllm", beyond: [GIB], measured: MEASURED }],
    [{ model: "m", engine: "llama.cpp", beyond: [GIB, GIB], measured: MEASURED }],
  ])
    expect(JSON.stringify(plan(FIXED, ggufOf(8), learned))).toBe(before);
  const deaf = specOf(
    "engine: llama.cpp, devices: gpu0, context: 8192, parallel: 2",
    "policies: { learn: false }",
  );
  expect(
    JSON.stringify(
      plan(deaf, ggufOf(8), [{ model: "m", engine: "llama.cpp", beyond: [GIB], measured: MEASURED }]),
    ),
  ).toBe(JSON.stringify(plan(deaf, ggufOf(8))));
});

test("a model that fits no more for what was measured says so, and how to plan without", () => {
  const whole = specOf("engine: llama.cpp, devices: gpu0, context: 8192, parallel: 1, gpuLayers: 99");
  const learned = [{ model: "m", engine: "llama.cpp", beyond: [6 * GIB], measured: MEASURED }];
  const { services, rejected } = plan(whole, ggufOf(26), learned);
  expect(services).toEqual([]);
  expect(rejected[0]?.reason).toContain("what earlier starts took beyond the prediction");
  expect(rejected[0]?.hint).toContain("policies.learn: false");
});
