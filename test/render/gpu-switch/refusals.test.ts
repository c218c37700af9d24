import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { switchScript } from "../../../src/render/proxmox/gpu-switch/index.ts";
import { FakeSysfs } from "../../fakes/fake-sysfs.ts";
import { BIG, SMALL, SCRIPT, twoCards, within, drivers, ON_HOST, check } from "./omni-prime-host.ts";

describe.concurrent("omni-switch refuses", () => {
  it("a busy card, and lists who holds it", async () => {
    const fake = await twoCards();
    fake.process(4242, "python3", "S", ["nvidia1", "nvidiactl"]);
    mkdirSync(fake.at(`${SMALL}.0`, "drm/card1"), { recursive: true });
    fake.process(4300, "Xorg", "S", ["dri/card1"]);
    mkdirSync(fake.at(`${SMALL}.1`, "sound/card3"), { recursive: true });
    fake.process(4400, "pipewire", "S", ["snd/pcmC3D7p", "snd/pcmC30D7p"]);
    await check(
      fake,
      ["to-vfio"],
      /PID 4242 \(python3\) holds \S+nvidia1/,
      /PID 4300 \(Xorg\) holds \S+dri\/card1/,
      /PID 4400 \(pipewire\) holds \S+snd\/pcmC3D7p/,
      "nothing was moved (4 refused)",
    );
  });

  it("a card that nvidia-persistenced holds, and names the command that stops it", async () => {
    const fake = await twoCards();
    fake.process(300, "nvidia-persiste", "S", ["nvidia1"]);
    await check(fake, ["to-vfio"], "systemctl stop nvidia-persistenced", "--stop-persistenced");
  });

  it("a card whose user sleeps inside the kernel", async () => {
    const fake = await twoCards();
    fake.process(77, "python3", "D", ["nvidia1"]);
    await check(
      fake,
      ["to-vfio"],
      /PID 77 \(python3\) sleeps inside the kernel \(state D\)/,
      "kill -9 neither",
    );
  });

  it("to go on while an earlier writer hangs in the kernel", async () => {
    const fake = await twoCards();
    fake.process(78, "sh", "D", [join(fake.sys, "bus/pci/drivers/nvidia/unbind")]);
    await check(fake, ["to-vfio"], /PID 78 \(sh\) sleeps inside the kernel/);
  });

  it("to take a card from a running VM", async () => {
    const fake = await FakeSysfs.make();
    fake.card(BIG, 1, "vfio-pci");
    fake.card(SMALL, 2, "vfio-pci");
    fake.process(900, "kvm", "S", ["vfio/1"]);
    writeFileSync(join(fake.proc, "900/cmdline"), "/usr/bin/kvm\0-id\x00105\0-name\0omni\0");
    await check(
      fake,
      ["restore"],
      /PID 900 \(kvm\) holds \S+vfio\/1: a running VM has the card/,
      "qm shutdown 105",
    );
  });

  it("a card that NVIDIA's driver does not let go, and gives the other card's lock back", async () => {
    const fake = await twoCards();
    rmSync(fake.lockOf(`${SMALL}.0`));
    symlinkSync("/dev/null", fake.lockOf(`${SMALL}.0`));
    await within(fake, async () => {
      const { code, err } = await fake.start(SCRIPT, ["to-vfio"], { patience: "3" });
      expect(code).toBe(3);
      expect(err).toContain("NVIDIA's driver does not grant unbindLock");
      expect(readFileSync(fake.lockOf(`${BIG}.0`), "utf8")).toBe("0\n");
      expect(drivers(fake)).toEqual(ON_HOST);
    });
  });

  it("a group with a stranger, also when the stranger is the other card", async () => {
    const fake = await twoCards();
    fake.add("0000:f2:00.0", { class: "0x010802", vendor: "0x144d", group: 1, driver: "nouveau" });
    await check(
      fake,
      ["to-vfio"],
      "IOMMU group 1 of 0000:f1:00.1 (blackwell) also has 0000:f2:00.0 (driver: nouveau)",
    );
    const together = await FakeSysfs.make();
    together.card(BIG, 1, "host");
    together.card(SMALL, 1, "host");
    await check(together, ["to-vfio", "blackwell"], "also has 0000:11:00.0", "name its card too");
  });

  it.each([
    ["the boot display", { bootVga: "1" }, "--force-boot-vga"],
    ["another vendor", { vendor: "0x1002" }, "its vendor is 0x1002, not 0x10de"],
    ["another class", { class: "0x010802" }, "has class 0x010802"],
    ["power state D3hot", { power: "D3hot" }, "is in power state D3hot"],
  ] as const)("%s", async (_what, display, text) => {
    const fake = await FakeSysfs.make();
    fake.card(BIG, 1, "host", display);
    fake.card(SMALL, 2, "host");
    await check(fake, ["to-vfio"], text);
  });

  it("to move the boot display unless forced", async () => {
    const fake = await FakeSysfs.make();
    fake.card(BIG, 1, "host", { bootVga: "1" });
    await within(fake, async () => {
      const { code, err } = await fake.start(SCRIPT, ["to-vfio", "blackwell", "--force-boot-vga"]);
      expect(code, err).toBe(0);
    });
  });

  it("a card without its audio function, by the table", async () => {
    const fake = await twoCards();
    rmSync(fake.at(`${BIG}.1`), { recursive: true });
    await check(fake, ["to-vfio"], "0000:f1:00.1 of blackwell is not there");
  });

  it("a dead configuration space", async () => {
    const fake = await twoCards();
    writeFileSync(fake.at(`${SMALL}.0`, "config"), Buffer.alloc(64, 0xff));
    await check(fake, ["to-vfio"], "it has fallen off the bus", "power the machine off and on");
  });

  it("a host whose IOMMU is off, or that has no vfio-pci", async () => {
    const off = await twoCards();
    rmSync(join(off.sys, "class/iommu/ivhd0"), { recursive: true });
    await check(off, ["to-vfio"], "the IOMMU is off");
    const without = await twoCards();
    rmSync(join(without.sys, "bus/pci/drivers/vfio-pci"), { recursive: true });
    await check(without, ["to-vfio"], "modprobe vfio-pci");
  });

  it.each([
    "vendor",
    "class",
    "boot_vga",
    "power_state",
    "d3cold_allowed",
    "driver_override",
    "iommu_group",
    "config",
  ])("what it cannot read: %s", async (file) => {
    const fake = await twoCards();
    rmSync(fake.at(`${SMALL}.0`, file));
    await check(fake, ["to-vfio"], /0000:11:00\.0/);
  });

  it("a view of no processes at all", async () => {
    const fake = await twoCards();
    rmSync(join(fake.proc, "1"), { recursive: true });
    await check(fake, ["to-vfio"], "cannot see who uses the cards");
  });

  it("cards with other ids than the spec names", async () => {
    const only = { name: "only", slot: SMALL, audio: false, ids: ["10de:2bb1"] };
    const script = switchScript({ cards: [only], withoutAddress: [] }, ["audio", "video"]);
    const fake = await FakeSysfs.make();
    fake.add(`${SMALL}.0`, { class: "0x030200", group: 2, driver: "nvidia" });
    await within(fake, async () => {
      const { code, err } = await fake.start(script, ["to-vfio"]);
      expect(code).toBe(3);
      expect(err).toContain("0000:11:00.0 is 10de:2b85");
      expect(err).toContain("only: 10de:2bb1");
    });
  });
});
