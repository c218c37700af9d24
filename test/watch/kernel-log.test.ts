import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createWatch } from "../../src/watch/index.ts";
import type { CardFault, NodeWatch } from "../../src/watch/index.ts";
import { fakeSmi, smiCard } from "../fakes/nvml/fake-smi.ts";
import type { FakeSmi } from "../fakes/nvml/fake-smi.ts";
import { until } from "../fakes/nvml/until.ts";

const UUID = smiCard(1)["uuid"] ?? "";
let folder = "";
let log = "";
let smi: FakeSmi;
let watch: NodeWatch | undefined;
let faults: CardFault[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-kmsg-"));
  log = join(folder, "kmsg");
  smi = fakeSmi();
  smi.cards(smiCard(1));
  faults = [];
});
afterEach(async () => {
  await watch?.close();
  watch = undefined;
  smi.remove();
  rmSync(folder, { recursive: true, force: true });
});

const begin = async (): Promise<NodeWatch> => {
  watch = createWatch({ interval: 100, nvml: false, nvidiaSmi: smi.program, kernelLog: log, disks: [] });
  watch.onFault((fault) => faults.push(fault));
  await watch.ready;
  return watch;
};

test("what stood there before is no fault of now; what comes is, when its line is whole", async () => {
  writeFileSync(log, "NVRM: Xid (PCI:0000:01:00): 48, before\n");
  await begin();
  appendFileSync(
    log,
    "usb 1-1: new device\nNVRM: Xid (PCI:0000:01:00): 13, pid='<unknown>', name=<unknown>, Gra",
  );
  appendFileSync(log, "phics Exception\n");
  await until(() => faults.length > 0, "the Xid is told");
  expect(faults).toEqual([
    {
      kind: "xid",
      uuid: UUID,
      pci: "0000:01:00.0",
      xid: 13,
      text: "pid='<unknown>', name=<unknown>, Graphics Exception",
    },
  ]);
  truncateSync(log, 0);
  appendFileSync(log, "NVRM: Xid (PCI:0000:05:00): 31, pid=9, another card\n");
  await until(() => faults.length > 1, "a log that was emptied is followed");
  expect(faults[1]).toMatchObject({ pci: "0000:05:00.0", pid: 9 });
  expect(faults[1]).not.toHaveProperty("uuid");
});

test("a card that the kernel gave up is lost at once, and back when the driver reads it again and again", async () => {
  writeFileSync(log, "");
  await begin();
  appendFileSync(log, "NVRM: Xid (PCI:0000:01:00): 79, pid=1, name=x, GPU has fallen off the bus.\n");
  await until(() => faults.length > 1, "it is lost");
  expect(faults.slice(0, 2)).toEqual([
    expect.objectContaining({ kind: "xid", xid: 79 }),
    { kind: "lost", uuid: UUID, reason: "Xid 79: pid=1, name=x, GPU has fallen off the bus." },
  ]);
  await until(() => faults.length > 2, "it is back");
  expect(faults[2]).toEqual({ kind: "back", uuid: UUID });
});

test("a storm of a hundred thousand lines is one fault a card and code", async () => {
  writeFileSync(log, "");
  await begin();
  appendFileSync(log, "NVRM: Xid (PCI:0000:01:00): 31, pid=9, MMU Fault\n".repeat(100_000));
  await until(() => faults.length > 0, "it is told");
  await new Promise((resolve) => {
    setTimeout(resolve, 400);
  });
  expect(faults).toHaveLength(1);
});

test("a log that is not there yet is followed from its beginning once it is", async () => {
  const begun = await begin();
  expect(begun.notes()).toEqual([`${log}, where the kernel's log should be, is not there.`]);
  writeFileSync(log, "NVRM: GPU 0000:01:00.0: GPU has fallen off the bus.\n");
  await until(() => faults.length > 0, "it is read");
  expect(faults[0]).toEqual({
    kind: "lost",
    uuid: UUID,
    reason: "GPU 0000:01:00.0: GPU has fallen off the bus.",
  });
});
