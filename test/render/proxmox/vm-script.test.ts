import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Rendered } from "../../../src/render/index.ts";
import { ProxmoxMachine } from "../../fakes/proxmox-machine.ts";
import { parsePveConfig } from "./parsers.ts";
import { contentOf, renderFull, renderReference } from "./spec.ts";

function host(rendered: Rendered, name = "node"): ProxmoxMachine {
  const machine = new ProxmoxMachine();
  machine.device("0000:f1:00.0", "10de:2bb1", 40);
  machine.device("0000:11:00.0", "10de:2b85", 12);
  machine.put("usr/share/kvm/palit.rom", "rom");
  machine.put("dev/nvme1n1", "");
  mkdirSync(join(machine.root, "dev/disk/by-id"), { recursive: true });
  for (const link of ["nvme-Samsung_990_S7XX42", "nvme-Samsung_990_S7XX42_1", "nvme-Other_S7XX43"])
    symlinkSync("../../nvme1n1", join(machine.root, "dev/disk/by-id", link));
  machine.copy(rendered.artifacts, name);
  return machine;
}

/** What the fake Proxmox has, without what only exists on a machine: volumes, the MAC it made up, order within values. */
const settled = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(parsePveConfig(text).settings).map(([key, value]) => [
      key,
      value
        .replace(/^virtio=[0-9A-F:]+/, "virtio")
        .split(",")
        .toSorted()
        .join(","),
    ]),
  );

describe("vm-105.sh where there is no VM", () => {
  it("makes it as the rendered configuration shows it, and the second run changes nothing", async () => {
    const rendered = await renderFull();
    using machine = host(rendered);
    const first = machine.run("vm-105.sh");
    expect(first.output).not.toContain("failed");
    expect(first.status).toBe(0);
    expect(first.calls.slice(0, 3)).toEqual([
      "pvesh create /cluster/mapping/pci --id omni-big --map node=pve,path=0000:f1:00,id=10de:2bb1,iommugroup=40,subsystem-id=10de:0001",
      "pvesh create /cluster/mapping/pci --id omni-small --map node=pve,path=0000:11:00,id=10de:2b85,iommugroup=12,subsystem-id=10de:0001",
      "qm create 105 --name node --description Rendered by Omni from omni.yaml (node): guest node on node. Change the spec, render again and run vm-105.sh.",
    ]);
    expect(first.calls).toContain("qm set 105 --scsi1 /dev/disk/by-id/nvme-Samsung_990_S7XX42");
    expect(first.calls).toContain("qm set 105 --boot order=scsi0;scsi1");
    expect(first.calls.filter((call) => call.startsWith("qm start"))).toEqual([]);
    expect(first.output).toContain("No installer: download TALOS_ISO of talos/node/images.env");

    const { scsi1, ...there } = settled(machine.told("vm-105.conf"));
    expect(scsi1).toBe("/dev/disk/by-id/nvme-Samsung_990_S7XX42");
    const shown = settled(contentOf(rendered.artifacts, "105.conf"));
    expect(there).toEqual({ ...shown, efidisk0: there["efidisk0"] });
    expect(there["efidisk0"]).toContain("pre-enrolled-keys=0");

    const second = machine.run("vm-105.sh");
    expect(second.calls).toEqual([]);
    expect(second).toMatchObject({ status: 0 });
    expect(second.output).toContain("Nothing has changed.");
  });

  it("calls nothing that changes anything in a dry run", async () => {
    using machine = host(await renderFull());
    const before = machine.snapshot();
    const { status, calls, output } = machine.run("vm-105.sh", ["--dry-run", "--start"]);
    expect({ status, calls }).toEqual({ status: 0, calls: [] });
    expect(output).toContain("would run: qm create 105");
    expect(output).toContain("would run: qm start 105 --timeout 261");
    expect(machine.snapshot()).toEqual(before);
  });

  it("attaches the installer once it is there, and boots the system disk before it, the owner's after it", async () => {
    using machine = host(await renderFull());
    machine.put("var/lib/vz/template/iso/omni-talos-1.12.11.iso", "iso");
    const { calls } = machine.run("vm-105.sh", ["--start"]);
    expect(calls).toContain("qm set 105 --ide2 local:iso/omni-talos-1.12.11.iso,media=cdrom");
    expect(calls.slice(-2)).toEqual([
      "qm set 105 --boot order=scsi0;ide2;scsi1",
      "qm start 105 --timeout 261",
    ]);
    expect(machine.run("vm-105.sh", ["--start"]).calls).toEqual([]);
  });

  it("asks the host for a storage only where there is no choice", async () => {
    const rendered = await renderReference("omni-prime.fixed");
    using machine = host(rendered, "omni-prime");
    expect(machine.run("vm-105.sh").calls).toContain(
      "qm set 105 --efidisk0 local-zfs:1,efitype=4m,pre-enrolled-keys=0",
    );
    using two = host(rendered, "omni-prime");
    two.fake("storages", "Name Type Status\nfast  zfspool  active 1\nslow  dir  active 1\n");
    const refused = two.run("vm-105.sh");
    expect(refused.status).toBe(3);
    expect(refused.output).toContain("Several storages take VM disks: fast slow");
    expect(two.run("vm-105.sh", [], { OMNI_STORAGE: "slow" }).calls.at(-1)).toContain("--efidisk0 slow:1");
  });
});

describe("vm-105.sh where there is a VM", () => {
  it("of another name: refuses, unless it is told that the VM is ours", async () => {
    using machine = host(await renderFull());
    machine.fake("vm-105.conf", "name: windows\nmemory: 4096\n");
    const refused = machine.run("vm-105.sh");
    expect(refused).toMatchObject({ status: 3, calls: [] });
    expect(refused.output).toContain("VM 105 is called windows here, not node");
    expect(machine.run("vm-105.sh", ["--force"]).calls).toContain("qm set 105 --name node");
  });

  it("sets only what differs, keeps the MAC address, and names what nobody asks for", async () => {
    using machine = host(await renderFull());
    machine.run("vm-105.sh");
    const there = machine.told("vm-105.conf");
    machine.fake(
      "vm-105.conf",
      `${there.replace("memory: 65536", "memory: 32768").replace("tag=10", "tag=20")}hostpci2: mapping=old\n`,
    );
    machine.fake("running-105", "");
    const { calls, output } = machine.run("vm-105.sh");
    expect(calls).toEqual([
      "qm set 105 --memory 65536",
      "qm set 105 --net0 virtio=BC:24:11:00:00:00,bridge=vmbr0,tag=10",
    ]);
    expect(output).toContain("VM 105 has hostpci2: mapping=old, which omni.yaml does not ask for");
    expect(output).toContain("VM 105 is running");
  });

  it("leaves the owner's disks in the boot order, and a drive that stands where the installer would", async () => {
    const rendered = await renderReference("omni-prime.fixed");
    using machine = host(rendered, "omni-prime");
    machine.put("var/lib/vz/template/iso/omni-talos-1.12.11.iso", "iso");
    const there =
      "name: omni-prime\nscsi0: local-zfs:vm-105-disk-0,size=64G\nefidisk0: local-zfs:vm-105-disk-1\n";
    machine.fake(
      "vm-105.conf",
      `${there}boot: order=scsi0;net0\nnet0: virtio=BC:24:11:00:00:07,bridge=vmbr0\n`,
    );
    expect(machine.run("vm-105.sh").calls.slice(-2)).toEqual([
      "qm set 105 --ide2 local:iso/omni-talos-1.12.11.iso,media=cdrom",
      "qm set 105 --boot order=scsi0;ide2;net0",
    ]);
    expect(machine.run("vm-105.sh").calls).toEqual([]);

    using old = host(rendered, "omni-prime");
    old.put("var/lib/vz/template/iso/omni-talos-1.12.11.iso", "iso");
    old.fake("vm-105.conf", `${there}ide2: local-zfs:vm-105-cloudinit,media=cdrom\n`);
    const { calls, output } = old.run("vm-105.sh");
    expect(calls.filter((call) => call.includes("--ide2"))).toEqual([]);
    expect(calls.at(-1)).toBe("qm set 105 --boot order=scsi0;ide2");
    expect(output).toContain("ide2 of VM 105 is local-zfs:vm-105-cloudinit,media=cdrom and stays");
  });

  it("names a disk that is another than the spec says, and leaves it alone", async () => {
    using machine = host(await renderFull());
    machine.run("vm-105.sh");
    machine.put("dev/nvme2n1", "");
    const there = machine.told("vm-105.conf");
    machine.fake("vm-105.conf", there.replace("/dev/disk/by-id/nvme-Samsung_990_S7XX42", "/dev/nvme2n1"));
    const { calls, output } = machine.run("vm-105.sh");
    expect(calls).toEqual([]);
    expect(output).toContain("scsi1 of VM 105 is not /dev/disk/by-id/nvme-Samsung_990_S7XX42, /dev/nvme2n1");
  });

  it("stops at the first setting that fails", async () => {
    using machine = host(await renderFull());
    machine.fake("fail", "^qm set 105 --memory");
    const { status, calls } = machine.run("vm-105.sh");
    expect(status).toBe(1);
    expect(calls.at(-1)).toBe("qm set 105 --memory 65536");
    machine.heal();
    expect(machine.run("vm-105.sh").calls[0]).toBe("qm set 105 --memory 65536");
  });
});

describe("vm-105.sh refuses before it changes anything", () => {
  const situations: readonly (readonly [string, (machine: ProxmoxMachine) => void, string])[] = [
    [
      "a ROM file that is not there",
      (m) => m.remove("usr/share/kvm/palit.rom"),
      "There is no /usr/share/kvm/palit.rom",
    ],
    [
      "another card at the address",
      (m) => m.put("sys/bus/pci/devices/0000:f1:00.0/device", "0x2684\n"),
      "0000:f1:00 is 10de:2684, and big would be one of: 10de:2bb1 10de:2bb4 10de:2bb5",
    ],
    [
      "a mapping of another device",
      (m) => m.fake("mapping-omni-big", '{"map":["node=pve,path=0000:41:00,id=10de:2bb1"]}'),
      "The mapping omni-big is node=pve,path=0000:41:00,id=10de:2bb1",
    ],
  ];
  it.each(situations)("%s", async (_, prepare, message) => {
    using machine = host(await renderFull());
    prepare(machine);
    const { status, calls, output } = machine.run("vm-105.sh");
    expect(output).toContain(message);
    expect({ status, calls }).toEqual({ status: 3, calls: [] });
  });

  it("a disk that the host uses, or that is not there", async () => {
    using machine = host(await renderFull());
    machine.fake("mounted", "/var/lib/models\n");
    const { status, output, calls } = machine.run("vm-105.sh");
    expect(status).toBe(3);
    expect(output).toContain("is in use on this host");
    expect(calls.some((call) => call.includes("--scsi1"))).toBe(false);
    machine.copy((await renderFull(["S7XX42", "S7"])).artifacts, "node");
    expect(machine.run("vm-105.sh").output).toContain("No disk of this host has the serial number S7,");
  });

  it("a disk that another VM of the host has, by whatever name", async () => {
    using machine = host(await renderFull());
    machine.put("etc/pve/qemu-server/300.conf", "name: other\nsata0: /dev/nvme1n1,size=2T\n");
    const { status, output, calls } = machine.run("vm-105.sh");
    expect(status).toBe(3);
    expect(output).toContain("nvme-Samsung_990_S7XX42 is a disk of another VM already (300.conf)");
    expect(calls.some((call) => call.includes("--scsi1"))).toBe(false);
  });

  it("to start what Proxmox would not start: omni-prime as its owner wrote it", async () => {
    using machine = host(await renderReference("omni-prime"), "omni-prime");
    const { status, output, calls } = machine.run("vm-105.sh", ["--start"]);
    expect(status).toBe(3);
    expect(output).toContain("The NUMA nodes have 286100 MiB together, the VM 286102 MiB");
    expect(calls).toContain("qm set 105 --memory 286102");
    expect(calls.some((call) => call.startsWith("qm start"))).toBe(false);
  });
});

it("keeps the entries that other hosts have in a mapping", async () => {
  using machine = host(await renderFull());
  const other = "node=pve2,path=0000:01:00,id=10de:2bb1,iommugroup=1";
  machine.fake("mapping-omni-big", `{"id":"omni-big","map":["${other}"]}`);
  expect(machine.run("vm-105.sh").calls[0]).toBe(
    `pvesh set /cluster/mapping/pci/omni-big --map ${other} --map node=pve,path=0000:f1:00,id=10de:2bb1,iommugroup=40,subsystem-id=10de:0001`,
  );
  expect(machine.run("vm-105.sh").calls).toEqual([]);
});
