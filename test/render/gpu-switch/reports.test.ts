import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { FakeSysfs } from "../../fakes/fake-sysfs.ts";
import { BIG, SMALL, SCRIPT, twoCards, within } from "./omni-prime-host.ts";

describe.concurrent("omni-switch tells", () => {
  it("with --dry-run what it would do, and touches nothing", async () => {
    await within(await twoCards(), async (fake) => {
      const listing = (): string =>
        execFileSync("ls", ["-lR", "--time-style=full-iso", fake.sys, fake.proc, fake.run], {
          encoding: "utf8",
        });
      // The script itself is written below the same root, but beside these folders.
      const before = listing();
      const { code, out, err } = await fake.start(SCRIPT, ["--dry-run", "to-vfio"]);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(out).toContain(`would write on to ${fake.at(`${BIG}.0`)}/power/control (is auto)`);
      expect(out).toContain(`would move ${BIG}.0 (blackwell) from nvidia to vfio-pci`);
      expect(out).toContain("dry run: nothing was touched");
      expect(listing()).toBe(before);
    });
  });

  it("where everything is and who uses it", async () => {
    const fake = await FakeSysfs.make();
    fake.card(BIG, 1, "host");
    fake.card(SMALL, 2, "vfio-pci");
    fake.process(4242, "python3", "S", ["nvidia1", "nvidiactl", "null"]);
    fake.process(900, "kvm", "S", ["vfio/2"]);
    await within(fake, async () => {
      const { code, out, err } = await fake.start(SCRIPT, ["status"]);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(out).toContain(`${BIG}  blackwell\n`);
      expect(out).toContain(`${BIG}.0  driver: nvidia, driver_override: none, IOMMU group: 1, power: D0`);
      expect(out).toContain(`used by PID 4242 (python3): ${fake.dev}/nvidia1`);
      expect(out).toContain(`used by PID 900 (kvm): ${fake.dev}/vfio/2`);
      expect(out).not.toContain("/null");
    });
  });

  it("how it is used, and what it does not know", async () => {
    await within(await twoCards(), async (fake) => {
      const help = await fake.start(SCRIPT, ["--help"]);
      expect(help.code).toBe(0);
      expect(help.out).toContain("usage: omni-switch");
      for (const [args, text] of [
        [["to-vfio", "rtx4090"], /no such card in the table: rtx4090[\s\S]*0000:f1:00 {2}blackwell/],
        [["to-vfio", "0000:42:00"], "no such card in the table: 0000:42:00"],
        [["to-vfio", "--force"], "unknown option --force"],
        [["eject"], "unknown command eject"],
        [[], "a command is missing"],
      ] as const) {
        const { code, err } = await fake.start(SCRIPT, args);
        expect(code).toBe(2);
        expect(err).toMatch(text);
      }
      expect(fake.writes).toEqual([]);
    });
  });
});
