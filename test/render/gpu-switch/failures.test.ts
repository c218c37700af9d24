import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { FakeSysfs } from "../../fakes/fake-sysfs.ts";
import { BIG, SCRIPT, twoCards, within, ALL, drivers, ON_HOST } from "./omni-prime-host.ts";

describe.concurrent("omni-switch, when something goes wrong on the way,", () => {
  it("rolls back where the kernel binds another driver, and says where everything is", async () => {
    const fake = await twoCards();
    fake.probeGives.set(`${BIG}.0`, ["nouveau"]);
    await within(fake, async () => {
      const { code, err } = await fake.start(SCRIPT, ["to-vfio"]);
      expect(code).toBe(1);
      expect(err).toContain(`${BIG}.0 of blackwell is bound to nouveau and not to vfio-pci`);
      expect(err).toContain("every function is where it was before this run");
      expect(err).toContain(`${BIG}.0  blackwell  driver: nvidia, driver_override: none`);
      expect(drivers(fake)).toEqual(ON_HOST);
      expect(ALL.slice(0, 2).map((fn) => fake.read(fn, "driver_override"))).toEqual(["", ""]);
      expect(readdirSync(fake.run)).toEqual([]);
    });
  });

  it("says what could not be rolled back", async () => {
    const fake = await twoCards();
    fake.probeGives.set(`${BIG}.0`, [""]);
    fake.probeGives.set(`${BIG}.1`, ["vfio-pci", "vfio-pci"]);
    fake.bindFails.add(`${BIG}.0`);
    rmSync(join(fake.sys, "bus/pci/drivers/snd_hda_intel/bind"));
    await within(fake, async () => {
      const { code, err } = await fake.start(SCRIPT, ["to-vfio", "blackwell"]);
      expect(code).toBe(1);
      expect(err).toContain("NOT everything could be rolled back");
      expect(err).toMatch(/0000:f1:00\.1 {2}blackwell {2}driver: none/);
      expect(fake.driverOf(`${BIG}.0`)).toBe("nvidia");
    });
  });

  it("goes back to vfio-pci where no driver of the host takes a card", async () => {
    const fake = await FakeSysfs.make();
    fake.card(BIG, 1, "vfio-pci", { native: "not-loaded" });
    await within(fake, async () => {
      const { code, err } = await fake.start(SCRIPT, ["restore", "blackwell"]);
      expect(code).toBe(1);
      expect(err).toContain("modprobe nvidia");
      expect(drivers(fake).slice(0, 2)).toEqual(["vfio-pci", "vfio-pci"]);
      const forced = await fake.start(SCRIPT, ["restore", "blackwell", "--force-no-driver"]);
      expect(forced.code, forced.err).toBe(0);
      expect(drivers(fake).slice(0, 2)).toEqual(["snd_hda_intel", undefined]);
    });
  });

  it("rolls back when it is told to stop between two functions", async () => {
    let told = false;
    await within(await twoCards(), async (fake) => {
      const { code, err } = await fake.start(SCRIPT, ["to-vfio"], {
        heard: (out, child) => {
          if (!told && out.includes(`${BIG}.1: unbinding`)) told = child.kill("SIGTERM");
        },
      });
      expect({ code, told }, err).toEqual({ code: 1, told: true });
      expect(err).toContain("a signal asked for it");
      expect(drivers(fake)).toEqual(ON_HOST);
      expect(readdirSync(fake.run)).toEqual([]);
    });
  });

  it("stops for good at a write that hangs, kills nothing, and keeps the next run away", async () => {
    const pipe = "drivers/nvidia/unbind";
    await within(await twoCards(pipe), async (fake) => {
      const { code, err } = await fake.start(SCRIPT, ["to-vfio"], { patience: "3" });
      expect(code).toBe(1);
      expect(err).toContain("has not returned within 3 s; stopped here, nothing further was done");
      expect(err).toMatch(/0000:f1:00\.1 {2}blackwell {2}driver: vfio-pci/);
      expect(err).toMatch(/0000:f1:00\.0 {2}blackwell {2}driver: nvidia/);
      expect(fake.writes).toEqual([`unbind snd_hda_intel ${BIG}.1`, `drivers_probe ${BIG}.1`]);
      const writer = readFileSync(join(fake.run, "omni-switch.lock/stuck"), "utf8").trim();
      const next = await fake.start(SCRIPT, ["to-vfio"]);
      expect(next.code).toBe(3);
      expect(next.err).toContain(`its writer, PID ${writer}, has not come back`);
      fake.release(pipe);
      await vi.waitFor(() => expect(existsSync(`/proc/${writer}`)).toBe(false), { timeout: 10_000 });
    });
  });

  it("keeps a second run out, and leaves the lock of a run that died to a person", async () => {
    const fake = await twoCards();
    const lock = join(fake.run, "omni-switch.lock");
    mkdirSync(lock);
    writeFileSync(join(lock, "pid"), `${process.pid}\n`);
    await within(fake, async () => {
      const second = await fake.start(SCRIPT, ["to-vfio"]);
      expect({ code: second.code, writes: fake.writes }).toEqual({ code: 3, writes: [] });
      expect(second.err).toContain(`${lock} belongs to PID ${process.pid}`);
      writeFileSync(join(lock, "pid"), "4194999\n");
      const third = await fake.start(SCRIPT, ["to-vfio"]);
      expect(third.code).toBe(3);
      expect(third.err).toContain(`rm -r ${lock}`);
    });
  });
});
