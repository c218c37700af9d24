import { mkdirSync } from "node:fs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { KIB } from "../../src/core/index.ts";
import { mountOf, observeMachine } from "../../src/inventory/index.ts";
import { fakeMachine } from "../fakes/fake-machine.ts";
import type { FakeMachine } from "../fakes/fake-machine.ts";

let machine: FakeMachine;
beforeEach(() => (machine = fakeMachine()));
afterEach(() => machine.remove());

const observe = () => observeMachine({ root: machine.root, nvidiaSmi: `${machine.root}bin/none` });

it("disks by stable name with the file systems on them, through partitions and encryption", async () => {
  const part = "sys/block/nvme0n1/nvme0n1p2";
  machine.files({
    "sys/block/nvme0n1/size": "7814037168\n",
    "sys/block/nvme0n1/dev": "259:0\n",
    "sys/block/nvme0n1/queue/rotational": "0\n",
    "sys/block/nvme0n1/device/model": "Samsung SSD 990 PRO 4TB                \n",
    "sys/block/nvme0n1/device/serial": "S7XXNJ0W123456      \n",
    [`${part}/partition`]: "2\n",
    [`${part}/dev`]: "259:2\n",
    "sys/block/dm-0/dev": "253:0\n",
    "sys/block/dm-0/size": "700000\n",
    "sys/block/sda/size": "35156656128\n",
    "sys/block/sda/dev": "8:0\n",
    "sys/block/sda/queue/rotational": "1\n",
    "sys/block/sda/device/vpd_pg80": "\u0000\u0080\u0000\u0008WD-1A2B3",
    "sys/block/loop0/size": "1000\n",
    "sys/block/sdb/size": "0\n",
    "dev/nvme0n1": "",
    "dev/sda": "",
    "proc/self/mountinfo": [
      "20 1 0:30 / / rw,relatime - overlay overlay rw,lowerdir=/x",
      "21 20 253:0 / /var/lib rw shared:1 - ext4 /dev/mapper/crypt rw",
      "22 20 253:0 /docker /var/lib/docker/bind rw - ext4 /dev/mapper/crypt rw",
      "23 20 8:0 / /mnt/my\\040models rw - xfs /dev/sda rw",
      "24 20 0:40 / /tmp rw - tmpfs tmpfs rw",
      "25 20 0:41 / /tank rw - zfs tank/models rw",
      "26 20 0:42 / /far rw - nfs4 server:/far rw",
      "",
    ].join("\n"),
  });
  machine.link("sys/block/dm-0/slaves/nvme0n1p2", part);
  for (const name of [
    "nvme-eui.0025384b41b0c1d2",
    "nvme-Samsung_SSD_990_PRO_4TB_S7XX_1",
    "nvme-Samsung_SSD_990_PRO_4TB_S7XX",
  ])
    machine.link(`dev/disk/by-id/${name}`, "dev/nvme0n1");
  machine.link("dev/disk/by-id/nvme-Samsung_SSD_990_PRO_4TB_S7XX-part2", "dev/nvme0n1p2");
  machine.link("dev/disk/by-id/wwn-0x5000c500a1b2c3d4", "dev/sda");
  for (const path of ["var/lib", "mnt/my models", "tank"])
    mkdirSync(machine.root + path, { recursive: true });

  const seen = await observe();
  expect(seen.disks.map((disk) => ({ ...disk, mounts: disk.mounts.map((mount) => mount.path) }))).toEqual([
    {
      name: "nvme0n1",
      byId: "nvme-Samsung_SSD_990_PRO_4TB_S7XX",
      serial: "S7XXNJ0W123456",
      model: "Samsung SSD 990 PRO 4TB",
      size: 7_814_037_168 * 512,
      rotational: false,
      mounts: ["/var/lib"],
    },
    {
      name: "sda",
      byId: "wwn-0x5000c500a1b2c3d4",
      serial: "WD-1A2B3",
      size: 35_156_656_128 * 512,
      rotational: true,
      mounts: ["/mnt/my models"],
    },
    { name: "tank/models", mounts: ["/tank"] },
  ]);
  expect(seen.root).toMatchObject({ path: "/", filesystem: "overlay" });
  expect(mountOf(seen, "/mnt/my models/a.gguf")?.path).toBe("/mnt/my models");
  expect(mountOf(seen, "/var/library")?.path).toBe("/");
  expect(mountOf(seen, "/var/lib/docker")?.free).toBeGreaterThan(KIB);
});

it("a mount whose space cannot be read is named and left out", async () => {
  machine.files({ "proc/self/mountinfo": "21 20 8:1 / /gone rw - ext4 /dev/sda1 rw\n" });
  const { disks, notes } = await observe();
  expect(disks).toEqual([]);
  expect(notes).toEqual([{ probe: "disk", message: "the space of /gone cannot be read" }]);
});
