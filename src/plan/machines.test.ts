import { describe, expect, it } from "vitest";
import { GIB } from "../core/index.ts";
import type { MachineInventory } from "../inventory/machine.ts";
import { loadSpec } from "../spec/index.ts";
import type { Spec } from "../spec/index.ts";
import { planMachines } from "./machines.ts";
import type { PlanMachine } from "./machines.ts";

function spec(text: string): Spec {
  const { spec: loaded, diagnostics } = loadSpec(`omni: 1\nname: one\n${text}\nmodels: { m: ./m.gguf }`, "m");
  if (loaded === undefined) throw new Error(JSON.stringify(diagnostics));
  return loaded;
}

function machine(text: string, observed?: MachineInventory): PlanMachine {
  const [first] = planMachines(spec(text), observed);
  if (first === undefined) throw new Error("no machine");
  return first;
}

const HERE: MachineInventory = {
  hostname: "here",
  cpu: { cores: 12, threads: 24, features: [], caches: {} },
  numa: [],
  memory: { total: 64 * GIB, available: 50 * GIB },
  gpus: [
    {
      name: "NVIDIA GeForce RTX 4090",
      vendor: "nvidia",
      uuid: "GPU-1",
      index: 0,
      pciId: "10de:2684",
      memoryTotal: 24_564 * 2 ** 20,
      computeCapability: "8.9",
    },
    { name: "RTX 3090", vendor: "nvidia", memoryTotal: 24 * GIB, kernelDriver: "vfio-pci" },
    { name: "a card without driver", vendor: "nvidia" },
  ],
  disks: [],
  docker: false,
  notes: [],
};

describe("planMachines", () => {
  it("is this machine when the spec has none: what is free, and the cards that the driver has", () => {
    const found = machine("", HERE);
    expect(found.memory).toMatchObject({ capacity: 50 * GIB, known: true });
    expect(found.cores).toBe(12);
    expect(found.cards).toMatchObject([
      { id: "gpu0", model: "RTX 4090", uuid: "GPU-1", computeCapability: "8.9" },
    ]);
    expect(found.cards[0]?.visible).toBeLessThan(24_564 * 2 ** 20);
  });

  it("reads from this machine only what a spec of this machine leaves out", () => {
    expect(machine("metal: { cpu: { cores: 4 } }", HERE)).toMatchObject({
      cores: 4,
      memory: { capacity: 50 * GIB },
    });
    expect(machine("metal: { address: 10.0.0.2 }", HERE).memory.known).toBe(false);
    expect(machine("metal: { cpu: { cores: 4 } }\nruntime: docker", HERE).memory.known).toBe(false);
  });

  it("keeps a share of installed memory for the system, and takes what is stated as available as it is", () => {
    expect(machine("metal: { memory: { size: 200GiB } }").memory.capacity).toBe(194 * GIB);
    expect(machine("metal: { memory: { size: 200GiB, available: 100GiB } }").memory.capacity).toBe(100 * GIB);
  });

  it("counts a guest's memory and processors, not the host's", () => {
    const text = `metal: { platform: proxmox, memory: { size: 384GiB }, cpu: { cores: 96 }, gpus: { a: { model: L4, driver: vfio-pci } } }
guest: { vm: { id: 105, cores: 32, memory: 100GiB } }`;
    expect(machine(text)).toMatchObject({ cores: 32, memory: { capacity: 97 * GIB }, cards: [{ id: "a" }] });
  });

  it("leaves out a card that vfio-pci holds, unless a guest has it", () => {
    expect(machine("metal: { gpus: { a: { model: L4, driver: vfio-pci }, b: L4 } }").cards).toMatchObject([
      { id: "b" },
    ]);
  });

  it("names cards by their machine where there are several", () => {
    const [first, second] = planMachines(
      spec("machines: { x: { gpus: { a: L4 } }, y: { gpus: { a: L4 } } }"),
      undefined,
    );
    expect([first?.cards[0]?.id, second?.cards[0]?.id]).toEqual(["x/a", "y/a"]);
  });

  it("divides the one memory of a GB10 once", () => {
    const found = machine("metal: { memory: { size: 128GB }, gpus: { spark: GB10 } }");
    expect(found.memory.capacity).toBe(8 * GIB);
    expect((found.cards[0]?.visible ?? 0) + found.memory.capacity).toBeLessThan(128e9);
  });
});
