import { afterEach, beforeEach, expect, test } from "vitest";
import { createWatch } from "../../src/watch/index.ts";
import type { CardFault, NodeWatch, WatchOptions } from "../../src/watch/index.ts";
import { fakeSmi, smiCard } from "../fakes/nvml/fake-smi.ts";
import type { FakeSmi } from "../fakes/nvml/fake-smi.ts";
import { lives, until } from "../fakes/nvml/until.ts";

const ONE = smiCard(1);
const TWO = smiCard(2);
const uuidOf = (card: Readonly<Record<string, string>>): string => card["uuid"] ?? "";

let smi: FakeSmi;
let watches: NodeWatch[] = [];
let faults: CardFault[] = [];

beforeEach(() => {
  smi = fakeSmi();
  faults = [];
});
afterEach(async () => {
  await Promise.all(watches.map((watch) => watch.close()));
  watches = [];
  const pids = smi.calls().map((call) => Number(call.split(" ")[0]));
  await until(() => !pids.some(lives), "every nvidia-smi is gone");
  smi.remove();
});

const begin = (options: WatchOptions = {}): NodeWatch => {
  const watch = createWatch({
    interval: 100,
    nvml: false,
    nvidiaSmi: smi.program,
    kernelLog: false,
    disks: [],
    retry: 300,
    ...options,
  });
  watch.onFault((fault) => faults.push(fault));
  watches.push(watch);
  return watch;
};
const streams = (): string[] => smi.calls().filter((call) => call.includes("--loop-ms="));

test("tells what nvidia-smi tells; `[N/A]` is absent; one process serves all looks", async () => {
  smi.cards(TWO, ONE);
  smi.set("apps", `${uuidOf(ONE)}, 4711, 5722\n${uuidOf(ONE)}, 4712, [N/A]\n`);
  const watch = begin();
  const reading = await watch.lookNow();
  expect(watch.source).toBe("nvidia-smi");
  expect(reading.cards[0]).toEqual({
    uuid: uuidOf(ONE),
    index: 0,
    name: "NVIDIA GeForce RTX 3090",
    pci: "0000:01:00.0",
    memoryTotal: 24576 * 2 ** 20,
    memoryUsed: 6144 * 2 ** 20,
    memoryFree: 18176 * 2 ** 20,
    memoryReserved: 256 * 2 ** 20,
    utilization: 0.37,
    temperature: 61,
    power: 215.5,
    powerLimit: 350,
    throttled: ["power-cap", "software-thermal"],
    link: { generation: 4, lanes: 16 },
    holders: [{ pid: 4711, bytes: 5722 * 2 ** 20 }],
  });
  expect(reading.cards[1]).toMatchObject({ uuid: uuidOf(TWO), holders: [] });
  const before = smi.calls().length;
  smi.cards({ ...ONE, "memory.used": "20000" }, TWO);
  await until(() => watch.latest()?.cards[0]?.memoryUsed === 20_000 * 2 ** 20, "the change is seen");
  expect(smi.calls().length).toBe(before);
  expect(streams()).toHaveLength(1);
});

test("asks for what an old driver knows, reasons by their old name", async () => {
  smi.cards(ONE);
  smi.set("refused", "clocks_event_reasons.active\nmemory.reserved\nenforced.power.limit\n");
  const { cards } = await begin().lookNow();
  expect(cards[0]).toMatchObject({ throttled: ["power-cap"], temperature: 61 });
  expect(cards[0]).not.toHaveProperty("memoryReserved");
  expect(streams()[0]).toContain("clocks_throttle_reasons.active");
});

test("simultaneous askers share a question that begins after they asked", async () => {
  smi.cards(ONE);
  const watch = begin({ interval: 60_000 });
  await watch.ready;
  const questions = (): number =>
    smi.calls().filter((call) => call.includes("--query-gpu") && !call.includes("--loop-ms")).length;
  const before = questions();
  const first = watch.lookNow();
  smi.cards({ ...ONE, "memory.used": "1000" });
  const all = await Promise.all([first, watch.lookNow(), watch.lookNow(), watch.lookNow()]);
  expect(all.slice(1).map(({ cards }) => cards[0]?.memoryUsed)).toEqual([1, 1, 1].map(() => 1000 * 2 ** 20));
  expect(questions() - before).toBeLessThanOrEqual(2);
});

test("a lost card that keeps nvidia-smi from telling of the others is left out, and looked for", async () => {
  smi.cards(ONE, TWO);
  const watch = begin();
  await watch.ready;
  smi.set(
    "words",
    "Unable to determine the device handle for GPU0000:01:00.0: GPU is lost.  Reboot the system to recover this GPU\n",
  );
  await until(() => faults.length > 0, "the loss is told");
  expect(faults).toEqual([
    {
      kind: "lost",
      uuid: uuidOf(ONE),
      reason: "nvidia-smi: GPU is lost.  Reboot the system to recover this GPU",
    },
  ]);
  smi.cards(ONE, { ...TWO, "temperature.gpu": "77" });
  await until(() => watch.latest()?.cards[1]?.temperature === 77, "the other is still read");
  expect(streams().at(-1)).toContain(`--id=${uuidOf(TWO)}`);
  expect(watch.latest()?.cards[0]?.lost).toBeDefined();
  smi.set("words", undefined);
  await until(() => faults.length > 1, "it is back");
  expect(faults[1]).toEqual({ kind: "back", uuid: uuidOf(ONE) });
  await until(() => streams().at(-1)?.includes("--id=") === false, "all are asked for again");
});

test("a lost card at the beginning is told by its address, and gets its name when it is back", async () => {
  smi.cards(ONE);
  smi.set("words", "Unable to determine the device handle for GPU 0000:01:00.0: Unknown Error\n");
  const watch = begin();
  expect((await watch.lookNow()).cards[0]).toMatchObject({
    uuid: "PCI-0000:01:00.0",
    lost: { reason: "nvidia-smi: Unknown Error" },
  });
  smi.set("words", undefined);
  await until(() => watch.latest()?.cards[0]?.uuid === uuidOf(ONE), "it is known by its name");
  expect(watch.latest()?.cards).toHaveLength(1);
});

test("a card whose fields say that it is lost is lost; one error in a field is none", async () => {
  smi.cards(ONE, TWO);
  const watch = begin();
  await watch.ready;
  smi.cards({ ...ONE, "power.draw": "[Unknown Error]" }, { ...TWO, "power.draw": "[GPU is lost]" });
  await until(() => faults.length > 0, "the loss is told");
  expect(faults).toEqual([{ kind: "lost", uuid: uuidOf(TWO), reason: "nvidia-smi: GPU is lost" }]);
  await until(() => watch.latest()?.cards[0]?.power === undefined, "the field is absent");
});

test("one that is not listed any more is lost", async () => {
  smi.cards(ONE, TWO);
  const watch = begin();
  await watch.ready;
  smi.cards(TWO);
  await watch.lookNow();
  expect(faults).toEqual([
    { kind: "lost", uuid: uuidOf(ONE), reason: "nvidia-smi does not list it any more" },
  ]);
});

test("when it ends it is started again", async () => {
  smi.cards(ONE);
  const watch = begin();
  await watch.ready;
  smi.set("die", "");
  await until(() => watch.notes().length > 0, "it is said");
  expect(watch.notes()[0]).toContain("ended with code 7");
  smi.set("die", undefined);
  smi.cards({ ...ONE, "temperature.gpu": "40" });
  await until(() => watch.latest()?.cards[0]?.temperature === 40, "cards are read again");
  expect(watch.notes()).toEqual([]);
  expect(faults).toEqual([]);
});

test("one that hangs holds up neither a look nor the end, and is not asked again and again", async () => {
  smi.cards(ONE);
  const watch = begin({ patience: 1500 });
  await watch.ready;
  smi.set("hang", "");
  const before = smi.calls().length;
  for (let n = 0; n < 5; n++) expect((await watch.lookNow()).cards[0]?.uuid).toBe(uuidOf(ONE));
  expect(smi.calls().length - before).toBeLessThanOrEqual(4);
  expect(watch.notes()[0]).toContain("hung for 1.5 s");
});

test("no program, or no card, leaves the machine's own figures", async () => {
  const none = begin({ nvidiaSmi: "/nonexistent/nvidia-smi" });
  const reading = await none.lookNow();
  expect([none.source, none.notes(), reading.cards]).toEqual(["none", [], []]);
  expect(reading.host.memoryAvailable).toBeGreaterThan(0);
  smi.set("words", "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n");
  const failed = begin();
  await failed.ready;
  expect(failed.notes()[0]).toContain("couldn't communicate with the NVIDIA driver");
});
