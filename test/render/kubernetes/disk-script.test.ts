import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DISK_SCRIPT } from "../../../src/render/kubernetes/storage/disk-script.ts";
import {
  DISK_SIZE as SIZE,
  env,
  has,
  loopDisks,
  loopsWork,
  pathOf,
  signature,
  tool,
  untouched,
  uuidOf as uuid,
  writeAt,
} from "../../fakes/loop-disk.ts";
import type { LoopDisk, LoopDisks } from "../../fakes/loop-disk.ts";

let disks: LoopDisks;
let folder: string;

beforeEach(() => {
  disks = loopDisks();
  ({ folder } = disks);
  writeFileSync(join(folder, "disk.sh"), DISK_SCRIPT);
});

afterEach(() => disks.remove());

const disk = (serial: string): LoopDisk => disks.make(serial);

function prepare(
  settings: Record<string, string>,
  shell = "/bin/sh",
): { readonly code: number | null; readonly text: string } {
  const run = spawnSync(shell, [join(folder, "disk.sh")], {
    env: {
      ...env,
      OMNI_SYSFS: join(folder, "sys"),
      DISK_FILESYSTEM: "xfs",
      DISK_LABEL: "omni-nvme",
      DISK_FORMAT: "if-blank",
      DISK_MOUNT: join(folder, "mnt"),
      ...settings,
    },
    timeout: 60_000,
  });
  return { code: run.status, text: `${run.stdout.toString()}${run.stderr.toString()}` };
}

const mounts = (): string => disks.mounts();

describe.skipIf(!loopsWork())(
  "the disk script on loop devices (needs root, losetup, mkfs.xfs, blkid)",
  () => {
    it("formats a blank disk of the right serial once and only once, and mounts it", () => {
      const [mine, other] = [disk("S7XX NJ0W"), disk("OTHER")];
      const first = prepare({ DISK_SERIAL: "S7XX NJ0W", DISK_SIZE: `${SIZE}` });
      expect(first.text).toContain("is blank: making xfs, label omni-nvme");
      expect(first.text).toContain(`${mine.device} is mounted at ${join(folder, "mnt")} and can be written`);
      expect(first.code).toBe(0);
      expect(mounts()).toContain(` / ${join(folder, "mnt")} `);
      const made = uuid(mine);
      expect(made).not.toBe("");
      writeFileSync(join(folder, "mnt", "weights"), "kept");

      const second = prepare({ DISK_SERIAL: "S7XX NJ0W" });
      expect(second).toMatchObject({ code: 0 });
      expect(second.text).toContain("carries xfs already, label 'omni-nvme': not formatted");
      expect(second.text).toContain("mounted at");
      expect(mounts().split("\n")).toHaveLength(1);

      tool("umount", join(folder, "mnt"));
      const afterReboot = prepare({ DISK_WWN: "0x0025384B41B0C1D2", DISK_SERIAL: "S7XX NJ0W" });
      expect(afterReboot.code).toBe(0);
      expect(uuid(mine)).toBe(made);
      expect(readFileSync(join(folder, "mnt", "weights"), "utf8")).toBe("kept");
      expect(untouched(other)).toBe(true);
    });

    it.skipIf(!has("busybox"))("works with busybox, as its image has it (needs busybox)", () => {
      const mine = disk("MINE");
      const bin = join(folder, "bin");
      mkdirSync(bin);
      const busybox = pathOf("busybox") ?? "";
      for (const applet of [
        "sh",
        "awk",
        "sed",
        "tr",
        "cat",
        "stat",
        "readlink",
        "wc",
        "tail",
        "mkdir",
        "rm",
        "sync",
      ])
        symlinkSync(busybox, join(bin, applet));
      const settings = { DISK_SERIAL: "MINE", PATH: `${bin}:${env.PATH}` };
      expect(prepare(settings, join(bin, "sh"))).toMatchObject({ code: 0 });
      const made = uuid(mine);
      expect(prepare(settings, join(bin, "sh"))).toMatchObject({ code: 0 });
      expect(uuid(mine)).toBe(made);
    });

    it("reads the number of a SCSI disk from its product data", () => {
      const { device } = disk("");
      const entry = join(folder, "sys/class/block", device.slice("/dev/".length), "device");
      rmSync(join(entry, "serial"));
      writeFileSync(join(entry, "vpd_pg80"), Buffer.from([0, 0x80, 0, 12, ...Buffer.from("  S5SATA123 ")]));
      expect(prepare({ DISK_SERIAL: "S5SATA12" }).text).toContain("serial S5SATA123,");
      expect(prepare({ DISK_SERIAL: "S5SATA123" })).toMatchObject({ code: 0 });
    });

    it("finds a disk that has another kernel name than the spec says", () => {
      const mine = disk("MINE");
      const { code, text } = prepare({ DISK_SERIAL: "MINE", DISK_DEVICE: "/dev/nvme9n9" });
      expect(code).toBe(0);
      expect(text).toContain(`the spec calls it /dev/nvme9n9; at this boot it is ${mine.device}`);
    });

    it.each([
      ["an ext4 file system", "mkfs.ext4", ["-q", "DISK"]],
      ["swap", "mkswap", ["DISK"]],
      ["a partition table", undefined, []],
    ] as const)("refuses a disk with %s and leaves it as it is", (_, command, words) => {
      const mine = disk("MINE");
      if (command === undefined)
        writeAt(mine.device, 446, [0, 0, 2, 0, 0x83, 0, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0]);
      if (command === undefined) writeAt(mine.device, 510, [0x55, 0xaa]);
      else tool(command, ...words.map((word) => word.replace("DISK", mine.device)));
      const before = signature(mine);
      const { code, text } = prepare({ DISK_SERIAL: "MINE" });
      expect(text).toContain("is not blank and carries no plain xfs. Omni never erases");
      expect(code).toBe(3);
      expect(signature(mine)).toBe(before);
      expect(mounts()).toBe("");
    });

    it("refuses a disk that carries its file system and something else too", () => {
      const mine = disk("MINE");
      tool("mkfs.xfs", "-q", mine.device);
      writeAt(mine.device, 4086, [...Buffer.from("SWAPSPACE2")]);
      writeAt(mine.device, 1024, [1, 0, 0, 0, 255, 0, 0, 0]);
      const { code, text } = prepare({ DISK_SERIAL: "MINE" });
      expect(text).toContain("is not blank and carries no plain xfs");
      expect(code).toBe(3);
      expect(mounts()).toBe("");
    });

    it("refuses a serial, a world wide name or a by-id name that no disk or more than one has", () => {
      const all = [disk("A"), disk("TWIN"), disk("TWIN")];
      const unknown = prepare({ DISK_SERIAL: "B" });
      expect(unknown.code).toBe(3);
      expect(unknown.text).toContain("0 disks have serial 'B'");
      expect(unknown.text).toContain(`${all[0]?.device}: serial A, wwn eui.0025384b41b0c1d2, ${SIZE} bytes`);
      expect(prepare({ DISK_SERIAL: "TWIN" }).text).toContain("2 disks have serial 'TWIN'");
      expect(prepare({ DISK_SERIAL: "A", DISK_WWN: "eui.1" }).text).toContain("0 disks");
      expect(prepare({ DISK_BY_ID: "nvme-none" }).text).toContain(
        "by-id 'nvme-none'; it has to be exactly one",
      );
      expect(prepare({ DISK_SERIAL: "A' ; touch x #" }).code).toBe(3);
      expect(all.every(untouched)).toBe(true);
    });

    it("refuses another size than the spec's, and lets rounded ones pass", () => {
      const mine = disk("MINE");
      const wrong = prepare({ DISK_SERIAL: "MINE", DISK_SIZE: "4000000000000" });
      expect(wrong.code).toBe(3);
      expect(wrong.text).toContain(`has ${SIZE} bytes, the spec says 4000000000000`);
      expect(untouched(mine)).toBe(true);
      expect(prepare({ DISK_SERIAL: "MINE", DISK_SIZE: `${Math.round(SIZE * 1.01)}` }).code).toBe(0);
    });

    it("never formats by a kernel name alone, and mounts what is there", () => {
      const mine = disk("MINE");
      const blank = prepare({ DISK_DEVICE: mine.device });
      expect(blank.code).toBe(3);
      expect(blank.text).toContain("only its kernel name is known");
      expect(blank.text).toContain("Write its serial: MINE");
      expect(untouched(mine)).toBe(true);
      tool("mkfs.xfs", "-q", mine.device);
      const made = uuid(mine);
      expect(prepare({ DISK_DEVICE: mine.device })).toMatchObject({ code: 0 });
      expect(uuid(mine)).toBe(made);
    });

    it("formats nothing where format is never", () => {
      const mine = disk("MINE");
      const { code, text } = prepare({ DISK_SERIAL: "MINE", DISK_FORMAT: "never" });
      expect(code).toBe(3);
      expect(text).toContain("is blank and format is never");
      expect(untouched(mine)).toBe(true);
    });

    it("refuses a place where another disk is mounted", () => {
      const [mine, other] = [disk("MINE"), disk("OTHER")];
      expect(prepare({ DISK_SERIAL: "OTHER" }).code).toBe(0);
      const { code, text } = prepare({ DISK_SERIAL: "MINE", DISK_FILESYSTEM: "xfs" });
      expect(code).toBe(3);
      expect(text).toContain("another file system is mounted at");
      expect(uuid(other)).not.toBe(uuid(mine));
    });
  },
);

it("the disk script refuses what it has no tool for", () => {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const { code, text } = prepare({ PATH: bin, DISK_SERIAL: "MINE" });
  expect(code).toBe(3);
  expect(text).toContain("the image has no blkid");
  expect(prepare({ DISK_FILESYSTEM: "zfs" }).text).toContain("zfs is prepared by the host");
});

it.skipIf(!has("shellcheck"))("the disk script passes shellcheck (needs shellcheck)", () => {
  expect(execFileSync("shellcheck", ["-S", "style", "-"], { env, input: DISK_SCRIPT }).toString()).toBe("");
});
