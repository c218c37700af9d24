import { beforeAll, describe, expect, test } from "vitest";
import { locatedSpec } from "../../../test/fakes/located-spec.ts";
import type { Plan } from "../../plan/index.ts";
import type { Circumstances } from "../../supervisor/launcher.ts";
import { createLauncher } from "./launcher.ts";
import { createReplanner } from "./replanner.ts";
import { decide } from "./up-plan.ts";
import type { UpPlan } from "./up-plan.ts";

/** Three cards, three services on cards, one on the processor; each may go on with another engine. */
const SPEC = locatedSpec(`metal:
  platform: linux
  cpu: { cores: 16, threads: 32 }
  memory: { size: 128GB }
  gpus:
    gpu0: { model: RTX 5090, index: 0 }
    gpu1: { model: RTX 3090, index: 1 }
    gpu2: { model: RTX 3090, index: 2 }
runtime: process
models:
  coder: { source: { file: /models/coder.gguf }, format: gguf, family: Qwen2.5-Coder-7B, quantization: Q4_K_M }
engines:
  other: { kind: llama.cpp }
services:
  one: { model: coder, engine: [llama.cpp, other], devices: gpu0 }
  two: { model: coder, engine: [llama.cpp, other], devices: auto, priority: 7 }
  three: { model: coder, engine: [llama.cpp, other], devices: auto }
  slow: { model: coder, engine: llama.cpp, devices: cpu, context: 8192, parallel: 1 }
routes: { chat: [one, two, three] }
`);

let decided: UpPlan;
beforeAll(async () => {
  decided = await decide(SPEC, { simulated: true, hasKeys: false });
});

/** A node that runs by the last plan that was made in need. */
function node(): { plan(): Plan; when(circumstances: Partial<Circumstances>): Promise<Plan> } {
  let now = decided.plan;
  const replanner = createReplanner({
    spec: () => SPEC.spec,
    base: () => decided.plan,
    current: () => now,
    planAgain: decided.again,
  });
  return {
    plan: () => now,
    when: async (circumstances) => {
      now = await replanner.replan({ lostDevices: [], failedEngines: [], ...circumstances });
      return now;
    },
  };
}

async function digests(plan: Plan): Promise<Record<string, string>> {
  const launcher = createLauncher({
    located: SPEC,
    plan: () => plan,
    cards: decided.cards,
    stateFolder: "/nowhere",
    simulate: (launch) => launch,
  });
  return Object.fromEntries(
    await Promise.all(
      plan.services.map(async (service) => [service.name, (await launcher.prepare(service)).digest] as const),
    ),
  );
}

const serviceOf = ({ services }: Plan, name: string): Plan["services"][number] | undefined =>
  services.find((service) => service.name === name);
const placesOf = ({ services }: Plan): Record<string, string> =>
  Object.fromEntries(
    services.map(({ name, engine, devices }) => [name, `${engine.name}@${devices.join("+")}`]),
  );
const without = (all: Record<string, string>, ...names: string[]): Record<string, string> =>
  Object.fromEntries(Object.entries(all).filter(([name]) => !names.includes(name)));

describe("planning again", () => {
  test("when nothing has changed is the same plan", async () => {
    expect(await digests(await node().when({}))).toEqual(await digests(decided.plan));
  });

  test("for a lost card touches who was there, and starts nobody else again", async () => {
    const before = await digests(decided.plan);
    const lost = serviceOf(decided.plan, "three")?.devices[0] ?? "";
    expect(lost).toMatch(/^gpu[12]$/);
    const after = await node().when({ lostDevices: [lost] });
    for (const { name, devices } of after.services) expect([name, devices]).not.toEqual([name, [lost]]);
    expect(serviceOf(after, "three")?.devices).not.toContain(lost);
    expect(without(await digests(after), "three")).toEqual(without(before, "three"));
    expect(serviceOf(after, "two")).toMatchObject({
      devices: serviceOf(decided.plan, "two")?.devices,
      contextTokens: serviceOf(decided.plan, "two")?.contextTokens,
      parallel: serviceOf(decided.plan, "two")?.parallel,
    });
  });

  test("for a failed engine takes the next of the chain and leaves the others", async () => {
    const after = await node().when({ failedEngines: [{ service: "two", engine: "llama.cpp" }] });
    expect(placesOf(after)).toEqual({
      ...placesOf(decided.plan),
      two: `other@${serviceOf(decided.plan, "two")?.devices.join("+") ?? ""}`,
    });
    expect(without(await digests(after), "two")).toEqual(without(await digests(decided.plan), "two"));
  });

  test("for a card or an engine that is back gives everybody back what the owner's plan gave them", async () => {
    const first = node();
    await first.when({ lostDevices: ["gpu1"] });
    await first.when({ lostDevices: ["gpu1"], failedEngines: [{ service: "one", engine: "llama.cpp" }] });
    expect(serviceOf(first.plan(), "one")?.engine.name).toBe("other");
    await first.when({ lostDevices: ["gpu1"] });
    expect(serviceOf(first.plan(), "one")?.engine.name).toBe("llama.cpp");
    expect(await digests(await first.when({}))).toEqual(await digests(decided.plan));
  });

  test("a second loss moves nobody whom the first one had moved", async () => {
    const twice = node();
    const after = await twice.when({ lostDevices: ["gpu1"] });
    const again = await twice.when({
      lostDevices: ["gpu1"],
      failedEngines: [{ service: "slow", engine: "llama.cpp" }],
    });
    expect(without(placesOf(again), "slow")).toEqual(without(placesOf(after), "slow"));
  });

  test("a card that the owner named and that is lost is said to be lost", async () => {
    const after = await node().when({ lostDevices: ["gpu0"] });
    expect(serviceOf(after, "one")?.devices ?? []).not.toContain("gpu0");
    const said = after.rejected.filter(({ service }) => service === "one").map(({ reason }) => reason);
    expect(said.join("; ")).toMatch(/gpu0.*lost|lost.*gpu0/);
  });
});
