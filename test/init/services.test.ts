import { assert, expect, it } from "vitest";
import { initDocument } from "../../src/cli/init-document.ts";
import { chooseServices } from "../../src/cli/init-services.ts";
import type { FoundModel } from "../../src/cli/init-models.ts";
import { GIB } from "../../src/core/index.ts";
import type { GpuInventory, MachineInventory } from "../../src/inventory/index.ts";
import { planNode } from "../../src/plan/index.ts";
import { loadSpec } from "../../src/spec/index.ts";
import { denseShape } from "../fakes/dense-shape.ts";

const machine = (cores: number, gib: number, gpus: readonly GpuInventory[] = []): MachineInventory => ({
  hostname: "here",
  cpu: { cores, threads: cores * 2, features: [], caches: {} },
  numa: [],
  memory: { total: gib * GIB, available: (gib - 2) * GIB },
  gpus,
  disks: [],
  docker: false,
  notes: [],
});

const model = (name: string, gib: number, architecture = "llama", trained = 131_072): FoundModel => ({
  name,
  path: `/m/${name}.gguf`,
  shape: denseShape(gib * GIB, trained, architecture),
});

const card = (number: number, memoryUsed = 0): GpuInventory => ({
  name: "NVIDIA GeForce RTX 4090",
  vendor: "nvidia",
  uuid: `GPU-${String(number).repeat(8)}-5a52-7267-979e-fe922961190a`,
  pci: `0000:0${number}:00.0`,
  memoryTotal: 24_564 * 2 ** 20,
  memoryUsed,
  computeCapability: "8.9",
});

const chosen = (seen: MachineInventory, models: readonly FoundModel[], llamaServer = false) => {
  const { services, leftOut } = chooseServices({ machine: seen, models, llamaServer });
  return {
    services: services.map((one) => [one.name, one.engine.join(" "), one.devices, one.contextTokens]),
    whys: services.map((one) => one.why),
    leftOut: leftOut.map((one) => [one.model.name, one.why]),
  };
};

it("on a processor, the largest that answers quickly comes first, and a slow one after it", () => {
  const { services, leftOut, whys } = chosen(machine(8, 64), [
    model("small", 2),
    model("slow", 30),
    model("quick", 12),
  ]);
  expect(services).toEqual([
    ["quick", "embedded", "cpu", 8192],
    ["small", "embedded", "cpu", 8192],
    ["slow", "embedded", "cpu", 8192],
  ]);
  expect(whys[0]).toMatch(/^embedded takes 1\d\.\d\d GiB of 62\.00 GiB main memory$/);
  expect(leftOut).toEqual([]);
});

it("what does not fit is left out with its numbers, and what cannot be read with its fault", () => {
  const broken: FoundModel = { name: "broken", path: "/m/broken.gguf", fault: "its end is missing" };
  const { services, leftOut } = chosen(machine(8, 16), [model("huge", 40), broken, model("fits", 4)]);
  expect(services.map(([name]) => name)).toEqual(["fits"]);
  expect(leftOut[0]?.[0]).toBe("huge");
  expect(leftOut[0]?.[1]).toMatch(/needs 4\d\.\d\d GiB .*this machine can give 13\.50 GiB/);
  expect(leftOut[1]).toEqual(["broken", "its end is missing"]);
});

it("two that fit alone and not together: the first is served, the other says so", () => {
  const { services, leftOut } = chosen(machine(16, 20), [model("a", 12), model("b", 11)]);
  expect(services.map(([name]) => name)).toEqual(["a"]);
  expect(leftOut[0]?.[1]).toMatch(/beside the others|no room for a/);
});

it("a context is never longer than the model was trained for, and shorter where memory is scarce", () => {
  expect(chosen(machine(8, 64), [model("old", 4, "llama", 1024)]).services).toEqual([
    ["old", "embedded", "cpu", 1024],
  ]);
  expect(chosen(machine(8, 7.5), [model("tight", 4)]).services[0]?.[3]).toBeLessThan(8192);
});

it("four services are enough to begin with, embedders last among them", () => {
  const many = [5, 4, 3, 2, 1].map((gib) => model(`m${gib}`, gib));
  const { services, leftOut } = chosen(machine(16, 128), [model("e", 1, "nomic-bert", 2048), ...many]);
  expect(services.map(([name]) => name)).toEqual(["m5", "m4", "m3", "m2"]);
  expect(leftOut.map(([, why]) => why)).toEqual(
    Array(2).fill("it fits, but 4 services are enough to begin with"),
  );
});

it("a card serves where llama-server is installed, with the longest context that leaves all weights on it", () => {
  const { services, whys } = chosen(machine(16, 64, [card(1)]), [model("chat", 12)], true);
  expect(services).toEqual([["chat", "llama.cpp embedded", "auto", 32_768]]);
  expect(whys[0]).toMatch(/llama\.cpp takes .*GiB on rtx-4090/);
  expect(chosen(machine(16, 64, [card(1)]), [model("chat", 20)], true).services[0]?.[3]).toBeLessThan(32_768);
});

it("what was chosen is what the plan of the written spec places, all of it at once", () => {
  const seen = machine(16, 64, [
    card(1),
    { ...card(2), name: "NVIDIA GeForce RTX 3060", memoryTotal: 12 * GIB, computeCapability: "8.6" },
  ]);
  const models = [
    model("large", 18),
    model("middle", 8),
    model("little", 3),
    model("vectors", 1, "bert", 512),
  ];
  const choice = chooseServices({ machine: seen, models, llamaServer: true });
  expect(choice.services.map(({ name }) => name)).toEqual(["large", "middle", "little", "vectors"]);
  const { spec } = loadSpec(
    initDocument({ machine: seen, choice, file: "/omni.yaml", runtime: [] }),
    "omni.yaml",
  );
  assert(spec !== undefined);
  const shapes = new Map(
    models.flatMap(({ name, shape }) => (shape === undefined ? [] : [[name, shape] as const])),
  );
  const plan = planNode({ spec, shapes, observed: seen });
  expect(plan.services.map((one) => [one.name, one.contextTokens])).toEqual(
    choice.services.map((one) => [one.name, one.contextTokens]),
  );
  expect(plan.swapSets).toEqual([]);
  expect(plan.services[0]).toMatchObject({ devices: ["rtx-4090"], resident: true });
});

it("a card that others fill, that has no driver, or that no engine here can use, is not counted on", () => {
  const busy = chosen(machine(8, 64, [card(1, 22 * GIB)]), [model("chat", 12)], true);
  expect(busy.whys[0]).not.toMatch(/^llama\.cpp takes [^,]*$/);
  const { uuid, memoryTotal, ...handedOn } = { ...card(1), kernelDriver: "vfio-pci" };
  expect([uuid, memoryTotal]).not.toContain(undefined);
  for (const [gpu, llamaServer] of [
    [handedOn, true],
    [card(1), false],
  ] as const)
    expect(chosen(machine(8, 64, [gpu]), [model("chat", 12)], llamaServer).services).toEqual([
      ["chat", "embedded", "cpu", 8192],
    ]);
});
