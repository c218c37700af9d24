import { chmodSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ProxmoxMachine } from "../../fakes/proxmox-machine.ts";
import { contentOf, renderFull, renderReference } from "./spec.ts";

const UEFI = { status: "1A2B-3C4D is configured with: uefi (versions: 6.17.2-1-pve)" };
const DEFAULT_LINE = "root=ZFS=rpool/ROOT/pve-1 boot=zfs quiet";
const OURS = "iommu=pt default_hugepagesz=1G hugepagesz=1G hugepages=64";

/** The full host with its two cards, their sound, and a card of another make. */
async function fullHost(options: { status?: string } = {}): Promise<ProxmoxMachine> {
  const machine = new ProxmoxMachine(options);
  machine.device("0000:f1:00.0", "10de:2bb1", 40);
  machine.device("0000:f1:00.1", "10de:22e8", 40, "0x040300");
  machine.device("0000:11:00.0", "10de:2b85", 12);
  machine.device("0000:11:00.1", "10de:22e8", 12, "0x040300");
  machine.device("0000:05:00.0", "1a03:2000", 3);
  machine.copy((await renderFull()).artifacts, "node");
  return machine;
}

describe("apply.sh on a host that boots by GRUB", () => {
  it("installs boot line, module files with the ids it read, and the switch script, once", async () => {
    using machine = await fullHost();
    const first = machine.run("apply.sh");
    expect(first).toMatchObject({ status: 0, calls: ["update-grub ", "update-initramfs -u -k all"] });
    expect(machine.read("etc/modprobe.d/omni-vfio-ids.conf")).toContain(
      "options vfio-pci ids=10de:2bb1,10de:22e8,10de:2b85\n",
    );
    expect(machine.read("etc/default/grub.d/omni.cfg")).toContain("DEFAULT iommu=pt");
    expect(machine.read("usr/local/bin/omni-switch")).toContain("#!");
    expect(machine.read("etc/kernel/cmdline")).toBe(`${DEFAULT_LINE}\n`);
    expect(first.output).toContain("Reboot this host when nobody needs it");

    const before = machine.snapshot();
    const second = machine.run("apply.sh");
    expect(second).toMatchObject({ status: 0, calls: [] });
    expect(second.output).toContain("Nothing has changed.");
    expect(machine.snapshot()).toEqual(before);
  });

  it("touches nothing in a dry run, and says what it would do", async () => {
    using machine = await fullHost();
    const before = machine.snapshot();
    const { status, calls, output } = machine.run("apply.sh", ["--dry-run"]);
    expect({ status, calls }).toEqual({ status: 0, calls: [] });
    expect(output).toContain("would run: update-grub");
    expect(output).toContain("would run: update-initramfs -u -k all");
    expect(machine.snapshot()).toEqual(before);
  });

  it("stops where a command fails, and the next run goes on from there", async () => {
    using machine = await fullHost();
    machine.fake("fail", "^update-grub");
    const failed = machine.run("apply.sh");
    expect(failed.status).toBe(1);
    expect(failed.output).toContain("failed: update-grub");
    expect(failed.calls).toEqual(["update-grub "]);
    expect(machine.read("etc/modprobe.d/omni-vfio.conf")).toBe("");
    machine.heal();
    const next = machine.run("apply.sh");
    expect(next.calls).toEqual(["update-grub ", "update-initramfs -u -k all"]);
    expect(next.status).toBe(0);
  });

  it("keeps a copy of what it writes over, and takes back its own files when they are not asked for any more", async () => {
    using machine = await fullHost();
    machine.put("etc/modprobe.d/omni-vfio.conf", "options vfio-pci ids=1234:5678\n");
    machine.put("etc/modprobe.d/local.conf", "# Rendered by nobody\n");
    machine.run("apply.sh");
    expect(machine.read("var/backups/omni/etc/modprobe.d/omni-vfio.conf.1")).toBe(
      "options vfio-pci ids=1234:5678\n",
    );

    machine.copy(
      (
        await renderFull(
          ["    blacklist: [radeon]\n", ""],
          ["    modules: { kvm: [ignore_msrs=1, report_ignored_msrs=0] }\n", ""],
          ["bind: early", "bind: switch"],
        )
      ).artifacts,
      "node",
    );
    const second = machine.run("apply.sh");
    expect(second.status).toBe(0);
    expect(machine.read("etc/modprobe.d/omni-modules.conf")).toBe("");
    expect(machine.read("etc/modprobe.d/omni-vfio-ids.conf")).toBe("");
    expect(machine.read("etc/modprobe.d/local.conf")).toBe("# Rendered by nobody\n");
    expect(second.calls).toEqual(["update-initramfs -u -k all"]);
  });

  it("finds out when another file drops its arguments", async () => {
    using machine = await fullHost();
    machine.put("etc/default/grub.d/zz.cfg", 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n');
    const { status, output } = machine.run("apply.sh");
    expect(status).toBe(1);
    expect(output).toContain("after omni.cfg and drops: iommu=pt");
  });

  it("says that pages reserved before Omni stay in force", async () => {
    using machine = await fullHost();
    machine.put("etc/default/grub", 'GRUB_CMDLINE_LINUX="hugepagesz=1G hugepages=200"\n');
    const { status, output } = machine.run("apply.sh");
    expect(status).toBe(0);
    expect(output).toContain("The boot line has hugepages=200 too, from before Omni");
    machine.put("etc/default/grub", "GRUB_CMDLINE_LINUX_DEFAULT=quiet\n");
    expect(machine.run("apply.sh").output).not.toContain("from before Omni");
    using uefi = await fullHost(UEFI);
    uefi.put("etc/kernel/cmdline", `${DEFAULT_LINE} hugepagesz=1G hugepages=32`);
    expect(uefi.run("apply.sh").output).toContain("The boot line has hugepages=32 too");
    expect(uefi.read("etc/kernel/cmdline")).toContain("hugepages=64");
  });
});

describe("apply.sh on a host that boots by systemd-boot", () => {
  it("keeps what is in the line, adds its own, and adds nothing twice", async () => {
    using machine = await fullHost(UEFI);
    machine.put("etc/kernel/cmdline", `${DEFAULT_LINE} iommu=pt  `);
    expect(machine.run("apply.sh")).toMatchObject({
      status: 0,
      calls: ["proxmox-boot-tool refresh", "update-initramfs -u -k all"],
    });
    expect(machine.read("etc/kernel/cmdline")).toBe(`${DEFAULT_LINE} ${OURS}\n`);
    expect(machine.read("etc/default/grub.d/omni.cfg")).toBe("");
    expect(machine.read("var/backups/omni/etc/kernel/cmdline.1")).toBe(`${DEFAULT_LINE} iommu=pt  `);
    expect(machine.run("apply.sh").calls).toEqual([]);

    // The owner's iommu=pt stays when the spec does not ask for it any more; Omni's own arguments go.
    machine.copy(
      (await renderFull(["    arguments: [iommu=pt]\n", ""], ["1GiB\n    numa", "2MiB\n    numa"])).artifacts,
      "node",
    );
    machine.run("apply.sh");
    expect(machine.read("etc/kernel/cmdline")).toBe(
      `${DEFAULT_LINE} iommu=pt default_hugepagesz=2M hugepagesz=2M hugepages=32768\n`,
    );
    // What is not Omni's any more is forgotten, so that it may be the owner's later.
    expect(machine.read("var/lib/omni/proxmox/kernel-arguments").trim().split("\n")).toEqual([
      "default_hugepagesz=2M",
      "hugepagesz=2M hugepages=32768",
    ]);
  });

  it("refuses a line without root=, which would not boot", async () => {
    using machine = await fullHost(UEFI);
    machine.put("etc/kernel/cmdline", "quiet\n");
    expect(machine.run("apply.sh")).toMatchObject({ status: 3, calls: [] });
    expect(machine.read("etc/kernel/cmdline")).toBe("quiet\n");
  });

  it("refuses a spec that names the other loader", async () => {
    using machine = await fullHost(UEFI);
    machine.copy(
      (await renderFull(["arguments: [iommu=pt]", "arguments: [iommu=pt]\n    loader: grub"])).artifacts,
      "node",
    );
    const { status, output } = machine.run("apply.sh");
    expect(status).toBe(3);
    expect(output).toContain("boots by systemd-boot: the boot line would never be read");
  });
});

describe("apply.sh refuses before it changes anything", () => {
  const situations: readonly (readonly [
    string,
    (machine: ProxmoxMachine) => void,
    Record<string, string>,
    string,
  ])[] = [
    ["no root", () => {}, { FAKE_UID: "1000" }, "must run as root"],
    ["another address", (m) => m.fake("fail", "^hostname"), {}, "omni.yaml says that node is 192.168.3.10"],
    ["no Proxmox", (m) => m.fake("fail", "^pveversion"), {}, "pveversion does not work"],
    [
      "another device at the address",
      (m) => m.put("sys/bus/pci/devices/0000:11:00.0/device", "0x2684\n"),
      {},
      "0000:11:00 is 10de:2684, and small would be one of: 10de:2b85",
    ],
    [
      "no graphics card at the address",
      (m) => m.put("sys/bus/pci/devices/0000:11:00.0/class", "0x010802\n"),
      {},
      "is no graphics card",
    ],
    [
      "a card with the same id that stays",
      (m) => m.device("0000:21:00.0", "10de:2b85", 9),
      {},
      "0000:21:00.0 has the id 10de:2b85 too",
    ],
  ];
  it.each(situations)("%s", async (_, prepare, environment, message) => {
    using machine = await fullHost();
    prepare(machine);
    const before = machine.snapshot();
    const { status, calls, output } = machine.run("apply.sh", [], environment);
    expect(output).toContain(message);
    expect({ status, calls }).toEqual({ status: 3, calls: [] });
    expect(machine.snapshot()).toEqual(before);
  });

  it("ids in the spec that the machine has not, or that another device bears", async () => {
    const ids = (...list: readonly string[]) =>
      renderFull(
        ['"0000:F1:00" }', `"0000:F1:00", ids: ["10de:2bb1", "10de:22e8"] }`],
        ['pci: "0000:11:00"', `pci: "0000:11:00", ids: ${JSON.stringify(list)}`],
      );
    using machine = await fullHost();
    machine.copy((await ids("10de:2684")).artifacts, "node");
    expect(machine.run("apply.sh").output).toContain(
      "0000:11:00 is 10de:2b85, and small would be one of: 10de:2684",
    );
    machine.copy((await ids("10de:2b85", "1a03:2000")).artifacts, "node");
    expect(machine.run("apply.sh").output).toContain("0000:05:00.0 has the id 1a03:2000 too");
    machine.copy((await ids("10de:2b85")).artifacts, "node");
    expect(machine.run("apply.sh").status).toBe(0);
    expect(machine.read("etc/modprobe.d/omni-vfio-ids.conf")).toBe("");
  });

  it("a folder that was copied in part", async () => {
    using machine = await fullHost();
    machine.copy(
      (await renderFull()).artifacts.filter(({ path }) => !path.includes("etc/modprobe.d")),
      "node",
    );
    expect(machine.run("apply.sh")).toMatchObject({ status: 3, calls: [] });
  });

  it("arguments that it does not know", async () => {
    using machine = await fullHost();
    expect(machine.run("apply.sh", ["--skip", "everything"]).status).toBe(2);
    expect(machine.run("apply.sh", ["--now"]).status).toBe(2);
  });
});

describe("the kernel", () => {
  it("of omni-prime contradicts itself: nothing changes until it is left out", async () => {
    using machine = new ProxmoxMachine();
    machine.copy((await renderReference("omni-prime")).artifacts, "omni-prime");
    const refused = machine.run("apply.sh");
    expect(refused).toMatchObject({ status: 3, calls: [] });
    expect(refused.output).toContain("proxmox-kernel-6.8 installs 6.8.12");
    const skipped = machine.run("apply.sh", ["--skip", "kernel"]);
    expect(skipped).toMatchObject({ status: 0, calls: ["update-grub ", "update-initramfs -u -k all"] });
  });

  it("of a bare line is installed, and the newest of it pinned", async () => {
    using machine = await fullHost();
    machine.put("boot/vmlinuz-6.8.12-9-pve", "");
    machine.put("boot/vmlinuz-6.80.1-1-pve", "");
    machine.put("boot/vmlinuz-6.17.2-1-pve", "");
    const kernel = ["  passthrough:", '  kernel: { pin: "6.8" }\n  passthrough:'] as const;
    machine.copy((await renderFull(kernel)).artifacts, "node");
    const { status, calls } = machine.run("apply.sh");
    expect(calls.slice(0, 2)).toEqual([
      "apt-get install --yes -- proxmox-kernel-6.8",
      "proxmox-boot-tool kernel pin 6.8.12-13-pve",
    ]);
    expect(status).toBe(0);
    expect(machine.run("apply.sh").calls).toEqual([]);
  });

  it("is chosen within its bound, or refused where none is", async () => {
    using machine = await fullHost();
    for (const abi of ["6.8.4-3", "6.8.12-9", "6.5.13-6"]) machine.put(`boot/vmlinuz-${abi}-pve`, "");
    const kernel = (atMost: string) =>
      ["  passthrough:", `  kernel: { atMost: "${atMost}" }\n  passthrough:`] as const;
    machine.copy((await renderFull(kernel("6.8.4"))).artifacts, "node");
    expect(machine.run("apply.sh").calls[0]).toBe("proxmox-boot-tool kernel pin 6.8.4-3-pve");
    machine.copy((await renderFull(kernel("6.2"))).artifacts, "node");
    expect(machine.run("apply.sh")).toMatchObject({ status: 3, calls: [] });
  });
});

it("the switch script keeps its place and stays executable", async () => {
  using machine = await fullHost();
  machine.run("apply.sh");
  chmodSync(join(machine.root, "usr/local/bin/omni-switch"), 0o644);
  const { output } = machine.run("apply.sh");
  expect(output).toContain(`written: ${machine.root}/usr/local/bin/omni-switch`);
  expect(contentOf((await renderFull()).artifacts, "omni-switch")).toBe(
    machine.read("usr/local/bin/omni-switch"),
  );
});
