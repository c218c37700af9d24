import { readFileSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FakeSysfs } from "../../fakes/fake-sysfs.ts";
import {
  BIG,
  SMALL,
  SCRIPT,
  twoCards,
  within,
  ALL,
  drivers,
  ON_HOST,
  ON_VFIO,
  SHELLS,
} from "./omni-prime-host.ts";

describe.concurrent("omni-switch moves", () => {
  it.each(SHELLS)("two cards to vfio-pci under %s, audio before video, and says so", async (shell) => {
    await within(await twoCards(), async (fake) => {
      const { code, out, err } = await fake.start(SCRIPT, ["to-vfio"], { shell });
      expect({ code, err }, out).toEqual({ code: 0, err: "" });
      expect(drivers(fake)).toEqual(ON_VFIO);
      expect(fake.writes).toEqual(
        [
          ["snd_hda_intel", `${BIG}.1`],
          ["nvidia", `${BIG}.0`],
          ["snd_hda_intel", `${SMALL}.1`],
          ["nvidia", `${SMALL}.0`],
        ].flatMap(([driver, fn]) => [`unbind ${driver} ${fn}`, `drivers_probe ${fn}`]),
      );
      expect(fake.read(`${BIG}.0`, "driver_override")).toBe("vfio-pci");
      expect(fake.read(`${BIG}.0`, "power/control")).toBe("on");
      expect(fake.read(`${BIG}.0`, "d3cold_allowed")).toBe("0");
      expect(out).toContain(`omni-switch: ${BIG}.0: bound to vfio-pci`);
      expect(readdirSync(fake.run)).toEqual([]);
    });
  });

  it.each(SHELLS)("cards back to the host under %s, and a second time finds nothing to do", async (shell) => {
    const fake = await FakeSysfs.make();
    fake.card(BIG, 1, "vfio-pci");
    fake.card(SMALL, 2, "vfio-pci");
    await within(fake, async () => {
      const first = await fake.start(SCRIPT, ["restore"], { shell });
      expect({ code: first.code, err: first.err }, first.out).toEqual({ code: 0, err: "" });
      expect(drivers(fake)).toEqual(ON_HOST);
      expect(ALL.map((fn) => fake.read(fn, "driver_override"))).toEqual(["", "", "", ""]);
      const { length } = fake.writes;
      const second = await fake.start(SCRIPT, ["restore"], { shell });
      expect({ code: second.code, writes: fake.writes.length }).toEqual({ code: 0, writes: length });
      expect(second.out).toContain("nothing to do");
    });
  });

  it("nothing where vfio-pci had the cards from boot", async () => {
    const fake = await FakeSysfs.make();
    fake.card(BIG, 1, "vfio-pci");
    fake.card(SMALL, 2, "vfio-pci");
    // The VM that runs with them is no obstacle to confirming it.
    fake.process(900, "kvm", "S", ["vfio/1", "vfio/2"]);
    await within(fake, async () => {
      const { code, out } = await fake.start(SCRIPT, ["to-vfio"]);
      expect({ code, writes: fake.writes }).toEqual({ code: 0, writes: [] });
      expect(out).toContain(`${BIG}.0 (blackwell): already bound to vfio-pci`);
      expect(out).toContain("nothing to do");
    });
  });

  it("one card by name or by address in any spelling, and leaves the other", async () => {
    for (const typed of ["rtx5090", "11:00", "0000:11:00.0"]) {
      await within(await twoCards(), async (fake) => {
        const { code, err } = await fake.start(SCRIPT, ["to-vfio", typed]);
        expect({ code, err }).toEqual({ code: 0, err: "" });
        expect(drivers(fake)).toEqual(["snd_hda_intel", "nvidia", "vfio-pci", "vfio-pci"]);
      });
    }
  });

  it("a card whose driver_override an earlier run left behind, either way", async () => {
    const fake = await FakeSysfs.make();
    fake.card(BIG, 1, "host", { override: "vfio-pci" });
    fake.card(SMALL, 2, "host", { override: "pci-stub" });
    await within(fake, async () => {
      const back = await fake.start(SCRIPT, ["restore", "blackwell"]);
      expect({ code: back.code, writes: fake.writes }, back.err).toEqual({ code: 0, writes: [] });
      expect(fake.read(`${BIG}.0`, "driver_override")).toBe("");
      const there = await fake.start(SCRIPT, ["to-vfio", "rtx5090"]);
      expect(there.code, there.err).toBe(0);
      expect(there.out).toContain("was kept for pci-stub");
      expect(drivers(fake)).toEqual(["snd_hda_intel", "nvidia", "vfio-pci", "vfio-pci"]);
    });
  });

  it("past a bridge in the group, and binds directly where the probe leaves a function alone", async () => {
    const fake = await twoCards();
    fake.add("0000:f0:01.1", {
      class: "0x060400",
      group: 1,
      vendor: "0x1022",
      driver: "nouveau",
      bridge: true,
    });
    fake.probeGives.set(`${BIG}.1`, [""]);
    await within(fake, async () => {
      const { code, out, err } = await fake.start(SCRIPT, ["to-vfio", "blackwell"]);
      expect(code, err).toBe(0);
      expect(out).toContain("drivers_probe left it without a driver, binding directly");
      expect(fake.writes).toContain(`bind vfio-pci ${BIG}.1`);
      expect(drivers(fake).slice(0, 2)).toEqual(["vfio-pci", "vfio-pci"]);
    });
  });

  it("a card whose USB function goes with it", async () => {
    const fake = await twoCards();
    fake.add(`${BIG}.2`, { class: "0x0c0330", group: 1 });
    await within(fake, async () => {
      const { code, err } = await fake.start(SCRIPT, ["to-vfio", "blackwell"]);
      expect(code, err).toBe(0);
      expect(fake.driverOf(`${BIG}.2`)).toBe("vfio-pci");
    });
  });

  it("once NVIDIA's lock is granted, after it was refused", async () => {
    const fake = await twoCards();
    // A file that forgets what is written to it never reads 1.
    rmSync(fake.lockOf(`${BIG}.0`));
    symlinkSync("/dev/null", fake.lockOf(`${BIG}.0`));
    let granted = false;
    await within(fake, async () => {
      const { code, err } = await fake.start(SCRIPT, ["to-vfio"], {
        saw: (text) => {
          if (granted || !text.includes("has not granted unbindLock yet")) return;
          granted = true;
          writeFileSync(`${fake.lockOf(`${BIG}.0`)}.new`, "0\n");
          renameSync(`${fake.lockOf(`${BIG}.0`)}.new`, fake.lockOf(`${BIG}.0`));
        },
      });
      expect({ code, granted }, err).toEqual({ code: 0, granted: true });
      expect(drivers(fake)).toEqual(ON_VFIO);
    });
  });

  it("after persistenced was stopped for it, which runs again for the card that stays", async () => {
    const fake = await twoCards();
    fake.process(300, "nvidia-persiste", "S", ["nvidiactl", "nvidia1", "nvidia2"]);
    fake.command(
      "systemctl",
      `echo "$*" >>"${fake.root}/systemctl"; [ "$1" != stop ] || rm -r "${fake.proc}/300"`,
    );
    await within(fake, async () => {
      const { code, err } = await fake.start(SCRIPT, ["--stop-persistenced", "to-vfio", "blackwell"]);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(readFileSync(join(fake.root, "systemctl"), "utf8")).toBe(
        "stop nvidia-persistenced.service\nstart nvidia-persistenced.service\n",
      );
    });
  });

  it("a card that only others' control nodes are open for, when told so", async () => {
    const fake = await twoCards();
    fake.process(401, "llama-server", "S", ["nvidiactl", "nvidia-uvm", "nvidia2"]);
    await within(fake, async () => {
      const first = await fake.start(SCRIPT, ["to-vfio", "blackwell"]);
      expect(first.code).toBe(3);
      expect(first.err).toContain("pass --force-control-nodes");
      expect(first.err).not.toContain("nvidia2");
      const second = await fake.start(SCRIPT, ["to-vfio", "blackwell", "--force-control-nodes"]);
      expect(second.code, second.err).toBe(0);
    });
  });
});
