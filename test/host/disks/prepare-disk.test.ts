import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findDisk, formatDisk, mountDisk, refusalOf } from "../../../src/host/disks/index.ts";
import type { RunOnHost, WantedDisk } from "../../../src/host/disks/index.ts";
import { FORMAT_SCRIPT, LOOK_SCRIPT, MOUNT_SCRIPT } from "../../../src/host/disks/host-script.ts";
import {
  digest,
  DISK_SIZE,
  env,
  has,
  loopDisks,
  loopsWork,
  tool,
  untouched,
  uuidOf,
  writeAt,
} from "../../fakes/loop-disk.ts";
import type { LoopDisk, LoopDisks } from "../../fakes/loop-disk.ts";

let disks: LoopDisks;

beforeEach(() => void (disks = loopDisks()));
afterEach(() => disks.remove());

const wanted = (more: Partial<WantedDisk> = {}): WantedDisk => ({
  name: "nvme",
  serial: "MINE",
  format: "if-blank",
  filesystem: "xfs",
  label: "omni-nvme",
  mount: disks.mount,
  ...more,
});
const run: RunOnHost = (command) => disks.host().run(command);
const look = (more: Partial<WantedDisk> = {}) => findDisk(run, wanted(more));
const format = async (more: Partial<WantedDisk> = {}) => formatDisk(run, wanted(more), await look(more));
const mount = (more: Partial<WantedDisk> = {}) => mountDisk(run, wanted(more));

async function once(filesystem: "xfs" | "ext4" | "btrfs"): Promise<void> {
  const mine = disks.make("MINE");
  writeFileSync(disks.fstab, "# own\nUUID=1 / ext4 defaults 0 1");
  await format({ filesystem });
  const made = uuidOf(mine);
  await mount({ filesystem });
  const line = `UUID=${made} ${disks.mount} ${filesystem} noatime,nofail 0 ${filesystem === "ext4" ? 2 : 0}`;
  const label = "omni-nvme";
  const there = { place: "here", lasts: "yes", entry: line, writable: true };
  expect(await look({ filesystem })).toMatchObject({ blank: false, filesystem, label, uuid: made, ...there });
  expect(readFileSync(disks.fstab, "utf8")).toBe(
    `# own\nUUID=1 / ext4 defaults 0 1\n# Disk omni-nvme, serial MINE. Written by Omni.\n${line}\n`,
  );
  const text = readFileSync(disks.fstab);
  await format({ filesystem });
  await mount({ filesystem });
  expect(readFileSync(disks.fstab)).toEqual(text);
  expect(uuidOf(mine)).toBe(made);
  expect(disks.mounts().split("\n")).toHaveLength(1);
}

const SIGNATURES: Readonly<Record<string, (disk: LoopDisk) => unknown>> = {
  ext4: ({ device }) => tool("mkfs.ext4", "-q", device),
  swap: ({ device }) => tool("mkswap", device),
  "an LVM physical volume": ({ device }) => {
    // Sector number, checksum and offset of the header stand between the two words.
    const header = [1, 0, 0, 0, 0, 0, 0, 0, 0xa1, 0x30, 0x8c, 0x0a, 0x20, 0, 0, 0];
    writeAt(device, 512, [
      ...Buffer.from("LABELONE"),
      ...header,
      ...Buffer.from(`LVM2 001${"a".repeat(32)}`),
    ]);
  },
  "a ZFS label": ({ device }) => {
    const uberblock = [0x0c, 0xb1, 0xba, 0, 0, 0, 0, 0, 0x88, 0x13, 0, 0, 0, 0, 0, 0];
    for (let block = 0; block < 32; block++) writeAt(device, (128 + block) * 1024, uberblock);
  },
};

async function refused(carry: ((disk: LoopDisk) => unknown) | undefined): Promise<void> {
  const mine = disks.make("MINE");
  carry?.(mine);
  const before = digest(mine);
  const seen = await look();
  expect(seen.blank).toBe(false);
  expect(refusalOf(seen, wanted())).toContain("carries something else than xfs");
  const formatting = formatDisk(run, wanted(), seen);
  await expect(formatting).rejects.toMatchObject({ code: "disk.refused", exitCode: 3 });
  await expect(mount()).rejects.toMatchObject({ code: "disk.refused" });
  expect(digest(mine)).toBe(before);
  expect(disks.mounts()).toBe("");
}

describe.skipIf(!loopsWork())(
  "disks of a host, on loop devices (needs root, losetup, mkfs.xfs, blkid)",
  () => {
    it("finds the one disk by its serial and tells all about it", async () => {
      const mine = disks.make("MINE");
      disks.make("OTHER");
      expect(await look()).toEqual({
        device: mine.device,
        serial: "MINE",
        wwn: "eui.0025384b41b0c1d2",
        bytes: DISK_SIZE,
        model: "",
        blank: true,
        filesystem: "",
        label: "",
        uuid: "",
        table: "",
        place: "free",
        lasts: "no",
        entry: "",
        writable: false,
        found: [],
      });
      expect(untouched(mine)).toBe(true);
    });

    it.each(["xfs", "ext4"] as const)("makes %s once, mounts it and brings it back at every boot", once);
    it.skipIf(!has("mkfs.btrfs"))("the same with btrfs (needs mkfs.btrfs)", async () => {
      expect.hasAssertions();
      await once("btrfs");
    });

    it.each(Object.keys(SIGNATURES))("refuses a disk with %s and leaves every byte of it", async (what) => {
      expect.hasAssertions();
      await refused(SIGNATURES[what]);
    });
    it.skipIf(!has("sfdisk"))("the same with a partition table (needs sfdisk)", async () => {
      expect.hasAssertions();
      await refused(({ device }) =>
        tool("sh", "-c", 'printf "label: gpt\\n,16M\\n" | sfdisk -q --no-reread "$0"', device),
      );
    });

    it("refuses a serial that no disk or more than one has, and another size", async () => {
      const all = [disks.make("TWIN"), disks.make("TWIN")];
      await expect(look()).rejects.toThrow(/0 disks have serial 'MINE'/);
      await expect(look({ serial: "TWIN" })).rejects.toThrow(/2 disks have serial 'TWIN'/);
      disks.make("MINE");
      await expect(look({ size: 4e12 })).rejects.toThrow(
        `has ${DISK_SIZE} bytes, the spec says 4000000000000`,
      );
      expect(all.every(untouched)).toBe(true);
    });

    it("formats nothing that got a signature between the look and the making, nor another disk of that name", async () => {
      const mine = disks.make("MINE");
      const seen = await look();
      tool("mkswap", mine.device);
      const before = digest(mine);
      await expect(formatDisk(run, wanted(), seen)).rejects.toMatchObject({
        code: "disk.refused",
      });
      expect(digest(mine)).toBe(before);
      const swapped = { ...seen, serial: "GONE" };
      await expect(formatDisk(run, { ...wanted(), serial: "MINE" }, swapped)).rejects.toMatchObject({
        code: "disk.refused",
      });
      expect(digest(mine)).toBe(before);
    });

    it("formats nothing by a kernel name alone, and nothing where format is never", async () => {
      const mine = disks.make("MINE");
      const byName: WantedDisk = {
        name: "nvme",
        device: mine.device,
        format: "if-blank",
        filesystem: "xfs",
        label: "omni-nvme",
        mount: disks.mount,
      };
      const seen = await findDisk(run, byName);
      expect(refusalOf(seen, byName)).toContain("Write its serial: MINE");
      expect(refusalOf(seen, wanted({ format: "never" }))).toContain("format is never");
      await expect(format({ format: "never" })).rejects.toMatchObject({ code: "disk.refused" });
      expect(untouched(mine)).toBe(true);
    });

    it.each(["a folder with files", "a file", "a symbolic link"])(
      "refuses a mount point that is %s",
      async (what) => {
        const mine = disks.make("MINE");
        if (what === "a file") writeFileSync(disks.mount, "");
        else if (what === "a symbolic link") symlinkSync("/tmp", disks.mount);
        else {
          mkdirSync(disks.mount);
          writeFileSync(join(disks.mount, "weights.gguf"), "kept");
        }
        const seen = await look();
        expect(refusalOf(seen, wanted())).toContain(what);
        await expect(formatDisk(run, wanted(), seen)).rejects.toMatchObject({
          code: "disk.refused",
        });
        expect(untouched(mine)).toBe(true);
        expect(disks.mounts()).toBe("");
      },
    );

    it("refuses a place that fstab has another line for, and takes a line of the owner's own for this disk", async () => {
      disks.make("MINE");
      await format();
      writeFileSync(disks.fstab, `/dev/sdz1 ${disks.mount} xfs defaults 0 0\n`);
      await expect(mount()).rejects.toThrow(/fstab already says what is mounted/);
      expect(disks.mounts()).toBe("");
      writeFileSync(disks.fstab, `LABEL=omni-nvme\t${disks.mount}\txfs defaults 0 0\n`);
      await mount();
      expect(readFileSync(disks.fstab, "utf8")).toBe(`LABEL=omni-nvme\t${disks.mount}\txfs defaults 0 0\n`);
    });

    it("two disks of a host write fstab at the same time, and both lines are there", async () => {
      const serials = ["A", "B", "C"];
      for (const serial of serials) disks.make(serial);
      const each = serials.map((serial) => ({
        serial,
        label: `omni-${serial}`,
        mount: `${disks.mount}-${serial}`,
      }));
      for (const one of each) await format(one);
      await Promise.all(each.map((one) => mount(one)));
      expect(readFileSync(disks.fstab, "utf8").match(/^UUID=/gm)).toHaveLength(3);
    });

    it("never touches an fstab that is a link to something else's file", async () => {
      disks.make("MINE");
      await format();
      writeFileSync(join(disks.folder, "generated"), "# generated\n");
      symlinkSync(join(disks.folder, "generated"), disks.fstab);
      await expect(mount()).rejects.toThrow(/symbolic link: something else writes it/);
      expect(readFileSync(join(disks.folder, "generated"), "utf8")).toBe("# generated\n");
    });
  },
);

it.skipIf(!has("shellcheck"))("the scripts for hosts pass shellcheck (needs shellcheck)", () => {
  for (const script of [LOOK_SCRIPT, FORMAT_SCRIPT, MOUNT_SCRIPT])
    // A function that a later part defines anew, and names that only other scripts of the same parts use.
    expect(
      execFileSync("shellcheck", ["-s", "sh", "-S", "style", "-e", "SC2317,SC2034", "-"], {
        env,
        input: script,
      }).toString(),
    ).toBe("");
});
