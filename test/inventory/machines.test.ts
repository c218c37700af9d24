import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GIB, MIB } from "../../src/core/index.ts";
import { catalogGpu, observeMachine } from "../../src/inventory/index.ts";
import { addCard, addNvidiaSmi, addProcessor, fakeMachine } from "../fakes/fake-machine.ts";
import type { FakeMachine } from "../fakes/fake-machine.ts";

let machine: FakeMachine;
beforeEach(() => (machine = fakeMachine()));
afterEach(() => machine.remove());

const observe = (nvidiaSmi = `${machine.root}bin/none`) => observeMachine({ root: machine.root, nvidiaSmi });

const EPYC = {
  model: 'AMD "EPYC": 9004',
  sockets: 2,
  coresPerSocket: 8,
  nodesPerSocket: 4,
  gibPerNode: 96,
} as const;

describe("processors", () => {
  it("two sockets of four NUMA nodes each: cores, threads, nodes, and every shared cache once", async () => {
    addProcessor(machine, EPYC);
    machine.files({
      "sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages": "300\n",
      "sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages": "12\n",
      "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "0\n",
    });
    const seen = await observe();
    expect(seen).toMatchObject({
      hostname: "fake",
      cpu: { model: 'AMD "EPYC": 9004', sockets: 2, cores: 16, threads: 32 },
      memory: { total: 768 * GIB, available: 767 * GIB },
      gpus: [],
      notes: [],
    });
    expect(seen.cpu.features).toEqual(["fpu", "avx2", "avx512f", "amx_tile"]);
    expect(seen.cpu.caches).toEqual({ l2: 16 * MIB, l3: 8 * 32 * MIB });
    expect(seen.numa).toHaveLength(8);
    expect(seen.numa[7]).toEqual({ id: 7, cpus: "14-15", memory: 96 * GIB });
    expect(seen.memory.hugepages).toEqual([{ size: GIB, count: 300, free: 12 }]);
  });

  it("says what of the machine this process may not use", async () => {
    addProcessor(machine, EPYC);
    machine.files({
      "proc/self/cgroup": "0::/box\n",
      "sys/fs/cgroup/box/cpu.max": "400000 100000\n",
      "sys/fs/cgroup/box/memory.max": `${8 * GIB}\n`,
      "sys/fs/cgroup/box/memory.current": `${2 * GIB}\n`,
    });
    const { cpu, memory, notes } = await observe();
    expect(cpu.threads).toBe(32);
    expect(memory.total).toBe(8 * GIB);
    expect(notes.map((note) => note.message)).toEqual([
      "a cgroup grants this process the time of 4 of 32 threads",
      "a cgroup limits memory to 8.00 GiB, of which 6.00 GiB are free",
    ]);
  });

  it("an empty tree is a machine of which little is known, not a failure", async () => {
    const seen = await observe();
    expect(seen.gpus).toEqual([]);
    expect(seen.disks).toEqual([]);
    expect(seen.cpu.cores).toBeGreaterThan(0);
  });
});

const card = (index: number, pci: string, name: string, mib: number, capability: string) => ({
  index: String(index),
  uuid: `GPU-${String(index).repeat(8)}-5a52-7267-979e-fe922961190a`,
  name,
  "pci.bus_id": `0000${pci.toUpperCase()}`,
  compute_cap: capability,
  driver_version: "580.105.08",
  "memory.total": String(mib),
  "memory.used": "10",
  "memory.reserved": "300",
  "temperature.gpu": "41",
  "power.draw": "23.51",
});

const SIX = [
  ["0000:01:00.0", "10de:2206", "NVIDIA GeForce RTX 3080", 10_240],
  ["0000:02:00.0", "10de:2216", "NVIDIA GeForce RTX 3080", 10_240],
  ["0000:03:00.0", "10de:2504", "NVIDIA GeForce RTX 3060", 12_288],
  ["0000:41:00.0", "10de:2484", "NVIDIA GeForce RTX 3070", 8192],
  ["0000:42:00.0", "10de:2484", "NVIDIA GeForce RTX 3070", 8192],
  ["0000:43:00.0", "10de:2486", "NVIDIA GeForce RTX 3060 Ti", 8192],
] as const;

describe("cards", () => {
  it("six unequal cards: nvidia-smi and the bus tell one entry a card", async () => {
    for (const [i, [pci, id]] of SIX.entries())
      addCard(machine, { pci, id, driver: "nvidia", numaNode: i < 3 ? 0 : 1, lanes: i === 2 ? 4 : 16 });
    // An idle card runs its link slower than the slot would let it, and this slot is of generation 3.
    addCard(machine, { pci: "0000:00:02.0", id: "8086:4680", driver: "i915" });
    addCard(machine, { pci: "0000:04:00.0", id: "1a03:2000", driver: "ast" });
    addCard(machine, { pci: "0000:01:00.1", id: "10de:1aef", class: "0x040300" });
    machine.files({
      "proc/driver/nvidia/version":
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.105.08  Release Build  (root@x)\nGCC version: 14\n",
    });
    const smi = addNvidiaSmi(machine, {
      cards: SIX.map(([pci, , name, mib], i) => card(i, pci, name, mib, "8.6")),
      banner: "| NVIDIA-SMI 610.43.02     KMD Version: 610.43.02     CUDA UMD Version: 13.3     |",
    });
    const seen = await observe(smi);
    expect(seen.notes).toEqual([]);
    expect(seen.driver).toEqual({ version: "580.105.08", cuda: "13.3", flavour: "open" });
    expect(seen.gpus.map((gpu) => [gpu.pci, gpu.vendor])).toEqual([
      ["0000:00:02.0", "intel"],
      ...SIX.map(([pci]) => [pci, "nvidia"]),
    ]);
    expect(seen.gpus[3]).toEqual({
      name: "NVIDIA GeForce RTX 3060",
      vendor: "nvidia",
      uuid: "GPU-22222222-5a52-7267-979e-fe922961190a",
      pci: "0000:03:00.0",
      pciId: "10de:2504",
      index: 2,
      memoryTotal: 12 * GIB,
      memoryUsed: 10 * MIB,
      memoryReserved: 300 * MIB,
      computeCapability: "8.6",
      driver: "580.105.08",
      numaNode: 0,
      link: { generation: 5, lanes: 4 },
      temperature: 41,
      power: 23.51,
      kernelDriver: "nvidia",
    });
    expect(seen.gpus.slice(1).map((gpu) => catalogGpu(gpu)?.name)).toEqual([
      "RTX 3080",
      "RTX 3080",
      "RTX 3060",
      "RTX 3070",
      "RTX 3070",
      "RTX 3060 Ti",
    ]);
  });

  it("an AMD card tells its memory in sysfs", async () => {
    addCard(machine, { pci: "0000:03:00.0", id: "1002:744c", driver: "amdgpu" });
    machine.files({
      "sys/bus/pci/devices/0000:03:00.0/mem_info_vram_total": `${24 * GIB}\n`,
      "sys/bus/pci/devices/0000:03:00.0/mem_info_vram_used": `${MIB}\n`,
    });
    const { gpus, notes } = await observe();
    expect(gpus).toMatchObject([
      { name: "AMD 1002:744c", vendor: "amd", memoryTotal: 24 * GIB, memoryUsed: MIB },
    ]);
    expect(notes).toEqual([]);
  });

  it("a slower slot bounds the link", async () => {
    addCard(machine, { pci: "0000:01:00.0", id: "10de:2b85", driver: "nvidia", portSpeed: "8.0 GT/s PCIe" });
    expect((await observe()).gpus[0]?.link).toEqual({ generation: 3, lanes: 16 });
  });

  it("a card that vfio-pci owns is seen, named by its PCI id and said to be for a virtual machine", async () => {
    addCard(machine, {
      pci: "0000:f1:00.0",
      id: "10de:2bb1",
      driver: "vfio-pci",
      numaNode: 3,
      class: "0x030000",
    });
    addCard(machine, { pci: "0000:c1:00.0", id: "10de:2b85", driver: "nvidia" });
    const smi = addNvidiaSmi(machine, {
      cards: [card(0, "0000:c1:00.0", "NVIDIA GeForce RTX 5090", 32_607, "12.0")],
    });
    const { gpus, notes } = await observe(smi);
    expect(gpus.map((gpu) => gpu.name)).toEqual(["NVIDIA GeForce RTX 5090", "RTX PRO 6000 Blackwell"]);
    expect(gpus[1]).toEqual({
      name: "RTX PRO 6000 Blackwell",
      vendor: "nvidia",
      pci: "0000:f1:00.0",
      pciId: "10de:2bb1",
      numaNode: 3,
      link: { generation: 5, lanes: 16 },
      kernelDriver: "vfio-pci",
    });
    expect(notes.map((note) => note.message)).toEqual([
      "RTX PRO 6000 Blackwell at 0000:f1:00.0 belongs to vfio-pci: it is for a virtual machine",
    ]);
  });

  it("cards without any driver are named by the bus, with the reason for what is not known", async () => {
    addCard(machine, { pci: "0000:01:00.0", id: "10de:2684" });
    addCard(machine, { pci: "0000:02:00.0", id: "10de:dead", driver: "nouveau" });
    const { gpus, notes } = await observe();
    expect(gpus.map((gpu) => gpu.name)).toEqual(["RTX 4090", "NVIDIA 10de:dead"]);
    expect(notes.map((note) => note.message)).toEqual([
      `${machine.root}bin/none is not installed, so that the cards' memory and UUIDs are not known`,
    ]);
  });

  it("one name for two cards: the PCI id tells them apart, else their memory, else nothing", () => {
    const named = (memoryTotal: number | undefined, pciId?: string) =>
      catalogGpu({
        name: "NVIDIA GeForce RTX 4060 Ti",
        vendor: "nvidia",
        ...(memoryTotal === undefined ? {} : { memoryTotal }),
        ...(pciId === undefined ? {} : { pciId }),
      })?.name;
    expect(named(16_380 * MIB)).toBe("RTX 4060 Ti 16GB");
    expect(named(8188 * MIB)).toBe("RTX 4060 Ti");
    expect(named(undefined, "10de:2805")).toBe("RTX 4060 Ti 16GB");
    expect(named(undefined, "10de:2d04")).toBeUndefined();
    expect(named(8188 * MIB, "10de:2d04")).toBe("RTX 5060 Ti 8GB");
    expect(catalogGpu({ name: "NVIDIA H100 80GB HBM3", vendor: "nvidia", pciId: "10de:2330" })?.name).toBe(
      "H100 80GB",
    );
  });
});

it("docker is there when its socket is", async () => {
  expect((await observe()).docker).toBe(false);
  mkdirSync(`${machine.root}run`);
  const server = createServer().listen(`${machine.root}run/docker.sock`);
  await once(server, "listening");
  expect((await observe()).docker).toBe(true);
  server.close();
});

it("the machine of this test is seen whole", async () => {
  const seen = await observeMachine();
  expect(seen.cpu.threads).toBeGreaterThanOrEqual(seen.cpu.cores);
  expect(seen.memory.total).toBeGreaterThan(256 * MIB);
  expect(seen.root?.size).toBeGreaterThan(seen.root?.free ?? 0);
  expect(JSON.parse(JSON.stringify(seen))).toEqual(seen);
});
