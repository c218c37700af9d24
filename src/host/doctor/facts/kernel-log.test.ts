import { expect, test } from "vitest";
import { recordedView } from "../../../../test/fakes/recorded-host.ts";
import { readKernelLog } from "./kernel-log.ts";

test("the journal tells what was in which boot", async () => {
  using view = await recordedView({
    files: { "proc/stat": "btime 1767100000\n" },
    commands: {
      journalctl:
        "1767000000.5 pve kernel: NVRM: Xid (PCI:0000:11:00): 79\n1767200000.25 pve kernel: NVRM: Xid (PCI:0000:11:00): 13\n",
    },
  });
  expect(await readKernelLog(view)).toEqual({
    readable: true,
    from: "journal",
    lines: [
      { text: "NVRM: Xid (PCI:0000:11:00): 79", at: 1_767_000_000_500, thisBoot: false },
      { text: "NVRM: Xid (PCI:0000:11:00): 13", at: 1_767_200_000_250, thisBoot: true },
    ],
  });
});

test("without a journal the kernel's own buffer, what matters of it", async () => {
  using view = await recordedView({
    commands: { dmesg: "[    0.0] Linux version 6.17\n[   12.1] NVRM: Xid (PCI:0000:11:00): 119\n" },
  });
  expect(await readKernelLog(view)).toEqual({
    readable: true,
    from: "dmesg",
    lines: [{ text: "[   12.1] NVRM: Xid (PCI:0000:11:00): 119", thisBoot: true }],
  });
});
