import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createWatch } from "../../src/watch/index.ts";
import type { CardFault, NodeWatch, WatchOptions } from "../../src/watch/index.ts";
import { buildFakeNvml, fakeCard, hasCompiler, writeFakeState } from "../fakes/nvml/fake-nvml.ts";
import type { FakeState } from "../fakes/nvml/fake-nvml.ts";
import { fakeSmi, smiCard } from "../fakes/nvml/fake-smi.ts";
import { until } from "../fakes/nvml/until.ts";

const ONE = fakeCard(1);
const TWO = fakeCard(2);

// Without a C compiler on Linux there is no fake library, and NVML is not tested here.
describe.skipIf(!hasCompiler)("NVML", () => {
  let built: ReturnType<typeof buildFakeNvml>;
  let folder = "";
  let watches: NodeWatch[] = [];
  let faults: CardFault[] = [];

  beforeAll(() => {
    built = buildFakeNvml();
  });
  afterAll(() => built.remove());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "omni-watch-"));
    process.env["FAKE_NVML"] = join(folder, "state");
    faults = [];
  });
  afterEach(async () => {
    await Promise.all(watches.map((watch) => watch.close()));
    watches = [];
    delete process.env["FAKE_NVML"];
    rmSync(folder, { recursive: true, force: true });
    const left = programs(built.folder);
    if (left.length > 0) throw new Error(`left behind: ${left.join("; ")}`);
  });

  const say = (state: FakeState): void => writeFakeState(join(folder, "state"), state);
  const begin = (options: WatchOptions = {}): NodeWatch => {
    const watch = createWatch({
      interval: 100,
      nvml: built.library,
      nvidiaSmi: false,
      kernelLog: false,
      disks: [],
      retry: 300,
      ...options,
    });
    watch.onFault((fault) => faults.push(fault));
    watches.push(watch);
    return watch;
  };

  test("tells all that the driver tells, in bytes, watts and shares", async () => {
    say({ cards: [fakeCard(2, { reasons: 0x4 | 0x40 | 0x1 }), { ...ONE, recovery: 1 }] });
    const watch = begin();
    const { cards, host } = await watch.lookNow();
    expect(watch.source).toBe("nvml");
    expect(watch.notes()).toEqual([]);
    expect(cards[0]).toEqual({
      uuid: ONE.uuid,
      index: 0,
      name: "NVIDIA GeForce RTX 3090",
      pci: "0000:01:00.0",
      memoryTotal: 24 * 2 ** 30,
      memoryUsed: 6 * 2 ** 30,
      memoryReserved: 2 ** 28,
      memoryFree: 24 * 2 ** 30 - 6 * 2 ** 30 - 2 ** 28,
      utilization: 0.37,
      temperature: 61,
      memoryTemperature: 82,
      power: 215.5,
      powerLimit: 350,
      throttled: [],
      eccErrors: 0,
      link: { generation: 4, lanes: 16 },
      recovery: "reset",
      holders: [{ pid: 4711, bytes: 6_000_000_000 }],
    });
    // The order is that of the bus, not that of the driver.
    expect(cards[1]).toMatchObject({
      uuid: TWO.uuid,
      index: 1,
      throttled: ["power-cap", "hardware-thermal"],
    });
    expect(host.memoryTotal).toBeGreaterThan(0);
  });

  test("a look that is asked for sees what is true now; simultaneous askers share one", async () => {
    say({ cards: [ONE] });
    const watch = begin({ interval: 60_000 });
    await watch.ready;
    for (const used of [1e9, 2e9, 3e9]) {
      say({ cards: [{ ...ONE, used }] });
      const looks = await Promise.all([watch.lookNow(), watch.lookNow(), watch.lookNow()]);
      expect(looks.map(({ cards }) => cards[0]?.memoryUsed)).toEqual([used, used, used]);
      expect(watch.latest()).toBe(looks[2]);
    }
  });

  test("of an old driver: what its library does not have is absent, the rest is told", async () => {
    say({ cards: [{ ...ONE, reasons: 0x8 }] });
    const { cards } = await begin({ nvml: built.old }).lookNow();
    expect(cards[0]).toMatchObject({
      memoryUsed: 6 * 2 ** 30 + 2 ** 28,
      memoryFree: 24 * 2 ** 30 - 6 * 2 ** 30 - 2 ** 28,
      throttled: ["hardware-slowdown"],
      temperature: 61,
    });
    for (const missing of ["memoryReserved", "memoryTemperature", "holders", "recovery"])
      expect(cards[0]).not.toHaveProperty(missing);
  });

  test("what a card does not support is absent, never zero", async () => {
    const none = {
      total: -1,
      util: -1,
      temp: -1,
      memtemp: -1,
      power: -1,
      limit: -1,
      reasons: -1,
      ecc: -1,
      gen: -1,
    };
    say({ cards: [{ ...ONE, ...none, procs: "" }] });
    const { cards } = await begin().lookNow();
    expect(cards).toEqual([{ uuid: ONE.uuid, index: 0, name: ONE.name, pci: "0000:01:00.0", holders: [] }]);
  });

  test("GB10 has the machine's memory", async () => {
    say({ cards: [fakeCard(1, { name: "NVIDIA GB10", total: -1 })] });
    const { cards, host } = await begin().lookNow();
    expect(cards[0]).toMatchObject({ memoryTotal: host.memoryTotal, memoryFree: host.memoryAvailable });
  });

  test("a card that falls off is told once, keeps its place and its last values, and comes back", async () => {
    say({ cards: [ONE, TWO] });
    const watch = begin();
    // On a busy machine the first look may come too late for the first reading.
    expect((await watch.lookNow()).cards).toHaveLength(2);
    say({ cards: [{ ...ONE, status: 15 }, TWO] });
    await until(() => faults.length > 0, "the loss is told");
    const { cards } = await watch.lookNow();
    expect(faults).toEqual([
      {
        kind: "lost",
        uuid: ONE.uuid,
        reason: "the card has fallen off the bus or is otherwise out of reach",
      },
    ]);
    expect(cards.map(({ index, lost }) => [index, lost !== undefined])).toEqual([
      [0, true],
      [1, false],
    ]);
    expect(cards[0]).toMatchObject({ memoryUsed: 6 * 2 ** 30 });
    expect(cards[0]?.asOf).toBeLessThan(Date.now());
    say({ cards: [ONE, TWO] });
    await until(() => faults.length > 1, "it is back");
    expect(faults[1]).toEqual({ kind: "back", uuid: ONE.uuid });
    expect((await watch.lookNow()).cards[0]).not.toHaveProperty("lost");
  });

  test("an unknown error counts as lost only when it stays", async () => {
    say({ cards: [ONE] });
    const watch = begin({ interval: 60_000 });
    await watch.ready;
    say({ cards: [{ ...ONE, status: 999 }] });
    expect((await watch.lookNow()).cards[0]).not.toHaveProperty("lost");
    say({ cards: [ONE] });
    expect((await watch.lookNow()).cards[0]).toMatchObject({ temperature: 61 });
    say({ cards: [{ ...ONE, status: 999 }] });
    for (let n = 0; n < 3; n++) await watch.lookNow();
    expect(faults).toEqual([{ kind: "lost", uuid: ONE.uuid, reason: "an unknown error of the driver" }]);
  });

  test("Xids are told at once with the kernel's words, once for both who tell; a storm is counted", async () => {
    const log = join(folder, "kmsg");
    writeFileSync(log, "NVRM: Xid (PCI:0000:01:00): 79, an old story\n");
    const old = { seq: 1, card: 0, data: 48 };
    say({ cards: [ONE, TWO], events: [old] });
    const watch = begin({ kernelLog: log });
    await watch.ready;
    appendFileSync(log, "NVRM: Xid (PCI:0000:02:00): 31, pid=77, name=vllm, MMU Fault\n");
    say({ cards: [ONE, TWO], events: [old, { seq: 2, card: 1, data: 31 }] });
    await until(() => faults.length > 0, "the Xid is told");
    const storm = Array.from({ length: 500 }, (_, n) => ({ seq: 3 + n, card: 0, data: 13 }));
    say({ cards: [ONE, TWO], events: storm });
    await until(() => faults.length > 1, "the storm is told");
    await new Promise((resolve) => {
      setTimeout(resolve, 500);
    });
    expect(faults).toEqual([
      {
        kind: "xid",
        uuid: TWO.uuid,
        pci: "0000:02:00.0",
        xid: 31,
        pid: 77,
        text: "pid=77, name=vllm, MMU Fault",
      },
      { kind: "xid", uuid: ONE.uuid, pci: "0000:01:00.0", xid: 13, text: expect.stringContaining("NVML") },
    ]);
    expect((await watch.lookNow()).cards.map(({ lastXid }) => lastXid)).toEqual([13, 31]);
  });

  test("a driver that hangs keeps neither the machine's figures nor a look nor the end waiting", async () => {
    say({ cards: [ONE] });
    const watch = begin({ patience: 300 });
    await watch.ready;
    say({ cards: [ONE], hang: 1 });
    const before = performance.now();
    const reading = await watch.lookNow();
    expect(performance.now() - before).toBeLessThan(5000);
    expect(reading.cards[0]).toMatchObject({ memoryUsed: 6 * 2 ** 30 });
    expect(reading.cards[0]?.asOf).toBeLessThanOrEqual(reading.time);
    await until(() => watch.notes().length > 0, "it is said");
    expect(watch.notes()[0]).toMatch(/has not answered NVML for \d+ s/);
    let readings = 0;
    watch.onReading(() => readings++);
    await until(() => readings >= 3, "readings go on");
    expect(faults).toEqual([]);
  });

  test("a library that ends its program is opened again, and given up for nvidia-smi in the end", async () => {
    const smi = fakeSmi();
    smi.cards(smiCard(1));
    say({ cards: [ONE] });
    const watch = begin({ nvidiaSmi: smi.program });
    await watch.ready;
    say({ cards: [ONE], crash: 1 });
    await until(() => watch.source === "nvidia-smi", "nvidia-smi is taken");
    expect(watch.notes().join()).toContain("ended 3 times");
    expect((await watch.lookNow()).cards[0]).toMatchObject({ uuid: ONE.uuid, temperature: 61 });
    expect(faults).toEqual([]);
    await watch.close();
    smi.remove();
  });

  test.each([
    [9, "the NVIDIA driver is not loaded"],
    [18, "different versions"],
  ])("that cannot be opened (%i) is said", async (init, words) => {
    say({ init, cards: [ONE] });
    const watch = begin();
    await watch.ready;
    expect(watch.source).toBe("none");
    expect(watch.notes()).toEqual([expect.stringContaining(words)]);
    expect((await watch.lookNow()).cards).toEqual([]);
  });

  test("that is not there is said, and a watch that is closed while it opens leaves nothing", async () => {
    const watch = begin({ nvml: join(folder, "none.so") });
    await watch.ready;
    expect(watch.notes()[0]).toContain("none.so cannot be loaded");
    say({ cards: [ONE] });
    await begin().close();
  });
});

/** Command lines of the programs that hold this library. */
function programs(library: string): string[] {
  const list = execFileSync("ps", ["-eo", "stat=,args="], { encoding: "utf8" });
  return list.split("\n").filter((line) => line.includes(library) && !line.startsWith("Z"));
}
