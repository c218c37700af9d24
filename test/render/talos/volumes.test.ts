import { evaluate } from "@marcbachmann/cel-js";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Rendered } from "../../../src/render/index.ts";
import { documentsOf, fileOf, findingsOf, hasFile, renderSpec } from "./talos-render.ts";

const V = `    version: "1.12.11"\n`;

const volumes = z.array(
  z.object({
    name: z.string(),
    filesystem: z.object({ type: z.string() }).optional(),
    provisioning: z.object({ diskSelector: z.object({ match: z.string() }) }).optional(),
  }),
);

const volumesOf = (text: string): z.infer<typeof volumes> => volumes.parse(documentsOf(text));

/** Disks as `talosctl get disks -o yaml` shows them. */
const DISKS = {
  system: disk("/dev/sda", "drive-scsi0", "", 64e9, ["/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_drive-scsi0"]),
  samsung: disk("/dev/nvme0n1", "S7XXNJ0W", "eui.0025384b41b0c1d2", 4_000_787_030_016, [
    "/dev/disk/by-id/nvme-Samsung_SSD_990_PRO_4TB_S7XXNJ0W",
  ]),
  spinning: disk("/dev/sdb", "WD1", "naa.5000cca02278736c", 8_001_563_222_016, [
    "/dev/disk/by-id/wwn-0x5000",
  ]),
} as const;

function disk(
  dev_path: string,
  serial: string,
  wwid: string,
  size: number,
  symlinks: readonly string[],
): object {
  return { dev_path, serial, wwid, size, symlinks, transport: "nvme", rotational: false };
}

/** Names of the disks that a selector takes; Talos is installed on the first. */
const taken = (match: string): readonly string[] =>
  Object.entries(DISKS)
    .filter(([name, own]) => evaluate(match, { disk: own, system_disk: name === "system" }) === true)
    .map(([name]) => name);

const selectorFor = async (identity: string): Promise<string> => {
  const rendered = await renderSpec(`${V}    userVolumes: { data: { disk: nvme } }`, {
    metal: `  disks: { nvme: { ${identity} } }`,
  });
  return volumesOf(fileOf(rendered, "patches/40-volumes.yaml"))[0]?.provisioning?.diskSelector.match ?? "";
};

describe("user volumes", () => {
  it.each([
    ["serial: S7XXNJ0W", ["samsung"]],
    ["wwn: eui.0025384b41b0c1d2", ["samsung"]],
    ['wwn: "0x5000cca02278736c"', ["spinning"]],
    ["byId: nvme-Samsung_SSD_990_PRO_4TB_S7XXNJ0W", ["samsung"]],
    ["byId: /dev/disk/by-id/nvme-Samsung_SSD_990_PRO_4TB_S7XXNJ0W", ["samsung"]],
    ["device: /dev/nvme0n1", ["samsung"]],
    ["device: /dev/nvme0n1, size: 4TB", ["samsung"]],
    ["device: /dev/nvme0n1, size: 8TB", []],
    ["serial: READ-ME-FROM-LSBLK", []],
    ["serial: drive-scsi0", []],
    ["device: /dev/sda", []],
  ])("with %s take %j, never the system disk", async (identity, expected) => {
    expect(taken(await selectorFor(identity))).toEqual(expected);
  });

  it("say what is doubtful about an identity", async () => {
    const findings = async (identity: string): Promise<readonly string[]> =>
      findingsOf(
        await renderSpec(`${V}    installDisk: system\n    userVolumes: { data: { disk: nvme } }`, {
          metal: `  disks: { system: { serial: S1 }, nvme: { ${identity} } }`,
          guest: "",
        }),
      );
    expect(await findings("serial: S7XXNJ0W")).toEqual([]);
    expect(await findings("serial: READ-ME-FROM-LSBLK")).toEqual([
      "warning render.needs-value machines.node.disks.nvme.serial",
    ]);
    expect(await findings("device: /dev/nvme0n1")).toEqual([
      "warning render.needs-value machines.node.disks.nvme.device",
    ]);
    expect(await findings("mount: /var/mnt/data")).toEqual([
      "warning render.needs-value machines.node.disks.nvme",
    ]);
    expect(await findings("serial: S7, mount: /data")).toEqual([
      "warning render.not-applicable machines.node.disks.nvme.mount",
    ]);
  });

  it("find a disk that a VM gets as a virtual one by its position, or by its place and size", async () => {
    const rendered = async (bus: string, size: string): Promise<Rendered> =>
      renderSpec(`${V}    installDisk: ${bus}0\n    userVolumes: { data: { disk: nvme } }`, {
        metal: `  disks: { nvme: { serial: S7XXNJ0W${size} } }`,
        guest: `  vm: { id: 105, cores: 8, memory: 32GiB, disks: { ${bus}0: { storage: a, size: 32GiB }, ${bus}1: { storage: a, disk: nvme } } }`,
      });
    const match = async (bus: string): Promise<string> =>
      volumesOf(fileOf(await rendered(bus, ", size: 4TB"), "patches/40-volumes.yaml"))[0]?.provisioning
        ?.diskSelector.match ?? "";
    const sized = "disk.size >= 3920000000000u && disk.size <= 4080000000000u && !system_disk";
    // The kernel finds SCSI disks in no certain order: /dev/sda may be the disk with the models.
    expect(await match("scsi")).toBe(
      `"/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_drive-scsi1" in disk.symlinks && ${sized}`,
    );
    expect(fileOf(await rendered("scsi", ""), "patches/10-install.yaml")).toContain(
      "disk: /dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_drive-scsi0\n",
    );
    expect(findingsOf(await rendered("scsi", ""))).toEqual([]);
    expect(await match("virtio")).toBe(`disk.dev_path == "/dev/vdb" && ${sized}`);
    expect(taken(await match("virtio"))).toEqual([]);
    expect(findingsOf(await rendered("virtio", ", size: 4TB"))).toEqual([]);
    expect(findingsOf(await rendered("virtio", ""))).toEqual([
      "warning render.needs-value machines.node.disks.nvme",
    ]);
  });

  it("have the sizes that their type allows", async () => {
    const rendered = await renderSpec(
      `${V}    userVolumes:
      plain: { disk: nvme }
      bounded: { disk: nvme, minSize: 100GiB, maxSize: 1TB }
      most: { disk: nvme, maxSize: 500MiB }
      fixed: { disk: nvme, minSize: 1000000001B, grow: false }
      whole: { disk: nvme, type: disk, minSize: 1GiB, grow: true }
      folder: { type: directory }`,
    );
    const found = documentsOf(fileOf(rendered, "patches/40-volumes.yaml"));
    const match = 'disk.serial == "S7XXNJ0W" && !system_disk';
    const partition = (name: string, sizes: object): object => ({
      apiVersion: "v1alpha1",
      kind: "UserVolumeConfig",
      name,
      volumeType: "partition",
      provisioning: { diskSelector: { match }, ...sizes },
      filesystem: { type: "xfs" },
    });
    expect(found).toEqual([
      partition("plain", { minSize: "1GiB", grow: true }),
      partition("bounded", { minSize: "100GiB", maxSize: "1000000000000B", grow: false }),
      partition("most", { maxSize: "500MiB", grow: false }),
      partition("fixed", { minSize: "1000000001B", grow: false }),
      { ...partition("whole", {}), volumeType: "disk" },
      { apiVersion: "v1alpha1", kind: "UserVolumeConfig", name: "folder", volumeType: "directory" },
    ]);
    expect(findingsOf(rendered)).toContain(
      "warning render.not-applicable guests.node.talos.userVolumes.whole",
    );
  });

  it("come from disks that Talos shall prepare, named after their mount", async () => {
    const rendered = await renderSpec(V, {
      metal: `  disks:
    named: { serial: A, prepare: user-volume }
    mounted: { serial: B, prepare: user-volume, mount: /var/mnt/models, filesystem: ext4 }
    elsewhere: { serial: C, prepare: user-volume, mount: /mnt/data }
    foreign: { serial: D, prepare: user-volume, filesystem: zfs }
    hosts: { serial: E, prepare: host, mount: /srv }`,
    });
    const found = volumesOf(fileOf(rendered, "patches/40-volumes.yaml"));
    expect(found.map(({ name }) => name)).toEqual(["named", "models", "foreign"]);
    expect(found[1]).toMatchObject({ filesystem: { type: "ext4" } });
    expect(findingsOf(rendered)).toEqual([
      "warning render.needs-value guests.node.talos.installDisk",
      "error render.not-applicable machines.node.disks.elsewhere.mount",
      "warning render.not-applicable machines.node.disks.foreign.filesystem",
    ]);
  });

  it("are refused where Talos does not know them, or not of that type", async () => {
    const lines = "    userVolumes: { data: { disk: nvme, type: disk } }";
    const old = await renderSpec(`    version: "1.9.5"\n${lines}`);
    expect(hasFile(old, "patches/40-volumes.yaml")).toBe(false);
    expect(findingsOf(old)).toContain("error render.version-mismatch guests.node.talos.userVolumes");
    expect(findingsOf(await renderSpec(`    version: "1.11.3"\n${lines}`))).toContain(
      "error render.version-mismatch guests.node.talos.userVolumes.data.type",
    );
  });
});
