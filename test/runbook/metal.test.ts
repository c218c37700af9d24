import { expect, describe, it } from "vitest";
import type { Step } from "../../src/runbook/step.ts";
import { metalSteps } from "../../src/runbook/steps/metal/index.ts";
import { localTransport } from "../../src/host/transport/index.ts";
import { proxmoxOverSsh } from "../fakes/proxmox-over-ssh.ts";
import { runbookInput } from "../fakes/runbook-input.ts";
import { noSshServer } from "../fakes/ssh-server.ts";
import { memoryContext, takeCutShort, takeStep } from "../fakes/step-context.ts";
import type { MemoryContext, MemoryContextOptions } from "../fakes/step-context.ts";
import { UUID, withFacts } from "../host/gpu/host-over-sysfs.ts";
import { ON_VFIO, drivers, twoCards } from "../render/gpu-switch/omni-prime-host.ts";
import type { ProxmoxOverSsh } from "../fakes/proxmox-over-ssh.ts";

const missing = noSshServer();
const LINE = "iommu=pt default_hugepagesz=1G hugepagesz=1G hugepages=4";

const SPEC = `
omni: 1
name: prime
metal:
  platform: proxmox
  address: 192.168.3.10
  ssh: root@192.168.3.10
  cpu: { cores: 8, threads: 16 }
  memory: { size: 64GB, hugepages: { size: 1GiB, count: 4 } }
  gpus:
    blackwell: { model: RTX PRO 6000 Blackwell, pci: "0000:f1:00" }
    rtx5090: { model: RTX 5090, pci: "0000:11:00" }
  boot: { loader: grub, arguments: [iommu=pt], modules: { vfio-pci: [disable_idle_d3=1] } }
  passthrough: { bind: switch, cards: [blackwell, rtx5090] }
models: { small: { source: "hf:Qwen/Qwen3-0.6B-GGUF:Q8_0", size: 1GB, format: gguf, family: Qwen3-0.6B } }
services: { chat: { model: small } }
`;

const stepsOf = async (text = SPEC): Promise<(id: string) => Step> => {
  const steps = metalSteps(await runbookInput(text, { workFolder: "/nowhere" }));
  return (id) => {
    const step = steps.find((one) => one.id === id);
    if (step === undefined) throw new Error(`no step ${id} among ${steps.map((one) => one.id).join(" ")}`);
    return step;
  };
};

const contextOf = ({ transport }: ProxmoxOverSsh, more: Partial<MemoryContextOptions> = {}): MemoryContext =>
  memoryContext({ hosts: { prime: transport }, ...more });

describe.skipIf(missing !== undefined)(
  `a Proxmox host over SSH${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    it("is known, and another one is refused", async () => {
      await using host = await proxmoxOverSsh();
      const step = (await stepsOf())("host/prime");
      expect(await takeStep(step, contextOf(host))).toMatchObject({
        done: true,
        evidence: expect.arrayContaining([expect.stringContaining("pve-manager/9.1.1")]),
      });
      const elsewhere = (await stepsOf(SPEC.replace("address: 192.168.3.10", "address: 192.168.3.99")))(
        "host/prime",
      );
      await expect(takeStep(elsewhere, contextOf(host))).rejects.toMatchObject({
        code: "host.refused",
        message: "prime shall be 192.168.3.99, and the machine that answers is pve 192.168.3.10 10.0.0.1.",
      });
      host.machine.program("id", "echo 1000");
      await expect(takeStep(step, contextOf(host))).rejects.toMatchObject({
        code: "host.refused",
        message: expect.stringContaining("needs root"),
      });
    });

    it("gets its boot files once; what drifts is found and mended", async () => {
      await using host = await proxmoxOverSsh();
      const step = (await stepsOf())("boot/prime");
      const context = contextOf(host);
      expect(await takeStep(step, context)).toMatchObject({ done: true });
      expect(context.ran.filter((words) => words.startsWith("sh "))).toEqual([
        `sh ${host.machine.root}/var/lib/omni/prime/apply.sh`,
      ]);
      expect(host.machine.read("etc/default/grub.d/omni.cfg")).toContain("iommu=pt");
      expect(host.machine.read("etc/modprobe.d/omni-modules.conf")).toContain("disable_idle_d3=1");
      expect(host.machine.read("usr/local/bin/omni-switch")).toContain("to-vfio");

      const again = contextOf(host);
      expect(await takeStep(step, again)).toMatchObject({ done: true });
      expect(again.ran).toEqual([]);

      host.machine.put("etc/modprobe.d/omni-modules.conf", "options vfio-pci disable_idle_d3=0\n");
      expect(await step.verify(again)).toMatchObject({
        done: false,
        missing: expect.stringContaining("omni-modules.conf"),
      });
      expect(await takeStep(step, again)).toMatchObject({ done: true });
      expect(host.machine.read("etc/modprobe.d/omni-modules.conf")).toContain("disable_idle_d3=1");
    });

    it("cut off anywhere in its boot files, the next run goes on and ends the same", async () => {
      await using host = await proxmoxOverSsh();
      const step = (await stepsOf())("boot/prime");
      const cuts: boolean[] = [];
      for (let cutAt = 1; cutAt <= 4; cutAt++)
        cuts.push(await takeCutShort(step, contextOf(host, { cutAt })));
      expect(cuts.slice(0, 3)).toEqual([true, true, true]);
      host.machine.fake("fail", "^update-initramfs");
      host.machine.put("etc/modprobe.d/omni-modules.conf", "half\n");
      await expect(takeStep(step, contextOf(host))).rejects.toMatchObject({ code: "host.command-failed" });
      expect(await step.verify(contextOf(host)), "what stopped half-way is not taken for done").toMatchObject(
        {
          done: false,
          missing: expect.stringContaining("update-initramfs"),
        },
      );
      host.machine.heal();
      expect(await takeStep(step, contextOf(host))).toMatchObject({ done: true });
    });

    it("that boots by another loader is refused before anything is changed", async () => {
      await using host = await proxmoxOverSsh();
      host.machine.fake("boot-status", "1A2B-3C4D is configured with: uefi (versions: 6.17.2-1-pve)\n");
      const context = contextOf(host);
      await expect(takeStep((await stepsOf())("boot/prime"), context)).rejects.toMatchObject({
        code: "host.refused",
        message: expect.stringContaining("boots by systemd-boot"),
        hint: "Write boot.loader: auto",
      });
      expect(host.machine.read("etc/default/grub.d/omni.cfg")).toBe("");
    });

    it("is rebooted by consent alone, and then runs with what it was told", async () => {
      await using host = await proxmoxOverSsh();
      const step = await stepsOf();
      await takeStep(step("boot/prime"), contextOf(host));
      const reboot = step("reboot/prime");
      expect(await reboot.verify(contextOf(host))).toMatchObject({
        done: false,
        missing: expect.stringContaining("iommu=pt"),
      });
      await expect(takeStep(reboot, contextOf(host))).rejects.toMatchObject({ code: "runbook.consent" });
      expect(host.machine.told("calls")).not.toContain("systemctl reboot");

      host.machine.fake("next-cmdline", `BOOT_IMAGE=/vmlinuz root=/dev/mapper/pve-root ro quiet ${LINE}\n`);
      expect(await takeStep(reboot, contextOf(host), ["reboot:prime"])).toMatchObject({
        done: true,
        evidence: expect.arrayContaining([expect.stringContaining(LINE)]),
      });
      const again = contextOf(host);
      await takeStep(reboot, again, ["reboot:prime"]);
      expect(again.ran).toEqual([]);
      expect(host.machine.told("calls").match(/systemctl reboot/g)).toHaveLength(1);
    });

    it("whose line is right and whose modules have changed since it booted is rebooted too", async () => {
      await using host = await proxmoxOverSsh();
      const step = await stepsOf();
      host.machine.put("proc/cmdline", `root=/dev/sda1 ${LINE}\n`);
      expect(await step("reboot/prime").verify(contextOf(host))).toMatchObject({ done: true });
      await takeStep(step("boot/prime"), contextOf(host));
      expect(await step("reboot/prime").verify(contextOf(host))).toMatchObject({
        done: false,
        missing: "modules or boot files were changed since the last boot",
      });
    });

    it("that is this very machine is not rebooted", async () => {
      const reboot = (await stepsOf(SPEC.replace("  ssh: root@192.168.3.10\n", "")))("reboot/prime");
      await expect(
        reboot.precheck?.(memoryContext({ hosts: { "": localTransport() } })),
      ).rejects.toMatchObject({
        code: "host.reboot-by-hand",
        exitCode: 3,
      });
    });

    it("hands its cards to vfio-pci by consent for these very cards", async () => {
      const fake = await twoCards();
      try {
        withFacts(fake);
        await using host = await proxmoxOverSsh({
          OMNI_SYSFS: fake.sys,
          OMNI_PROC: fake.proc,
          OMNI_DEV: fake.dev,
          OMNI_RUNTIME: fake.run,
        });
        const step = await stepsOf();
        await takeStep(step("boot/prime"), contextOf(host));
        const cards = step("cards/prime");
        await expect(takeStep(cards, contextOf(host))).rejects.toMatchObject({
          code: "runbook.consent",
          message: expect.stringContaining(`unbind:${UUID}+0000:11:00`),
        });
        const context = contextOf(host);
        expect(await takeStep(cards, context, [`unbind:${UUID}+0000:11:00`])).toMatchObject({ done: true });
        expect(drivers(fake)).toEqual(ON_VFIO);
        const again = contextOf(host);
        expect(await takeStep(cards, again)).toMatchObject({ done: true });
        expect(again.ran).toEqual([]);
      } finally {
        fake.remove();
      }
    });

    it("bound early and yet with the host's driver is refused with what to look at", async () => {
      const fake = await twoCards();
      try {
        withFacts(fake);
        await using host = await proxmoxOverSsh({
          OMNI_SYSFS: fake.sys,
          OMNI_PROC: fake.proc,
          OMNI_DEV: fake.dev,
        });
        const cards = (await stepsOf(SPEC.replace("bind: switch", "bind: early")))("cards/prime");
        await expect(takeStep(cards, contextOf(host))).rejects.toMatchObject({
          code: "host.refused",
          message: expect.stringContaining("0000:f1:00.0 (nvidia)"),
        });
      } finally {
        fake.remove();
      }
    });
  },
);
