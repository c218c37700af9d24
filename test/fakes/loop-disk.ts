/**
 * Disks that are none: sparse files behind real loop devices, with a serial number in a copy of the part of sysfs that has
 * one for real disks. File systems on them are real; fstab and locks lie in the same folder, never in the machine's.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localTransport } from "../../src/host/transport/index.ts";
import type { HostTransport } from "../../src/host/transport/index.ts";

const TOOLS = ["losetup", "mkfs.xfs", "mkfs.ext4", "blkid", "wipefs", "lsblk", "blockdev", "mkswap"];
const PATHS = [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/sbin"];
/** The least that mkfs.xfs takes, and a little. Bytes. */
export const DISK_SIZE = 320 << 20;

/** Where a program of the machine is. */
export const pathOf = (tool: string): string | undefined =>
  PATHS.map((path) => join(path, tool)).find((path) => existsSync(path));
export const has = (tool: string): boolean => pathOf(tool) !== undefined;
export const env = { PATH: PATHS.join(":") };

/** What a tool of the machine prints; throws where it fails. */
export const tool = (name: string, ...words: readonly string[]): string =>
  execFileSync(name, words, { env, stdio: "pipe" }).toString().trim();

/** Loop devices can be made and file systems mounted here: root, the tools, and a kernel that lets both. */
export function loopsWork(): boolean {
  if (process.getuid?.() !== 0 || !TOOLS.every(has) || !existsSync("/dev/loop-control")) return false;
  const folder = mkdtempSync(join(tmpdir(), "omni-loop-"));
  try {
    const image = join(folder, "image");
    writeFileSync(image, "");
    truncateSync(image, 1 << 20);
    tool("losetup", "-d", tool("losetup", "--find", "--show", image));
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface LoopDisk {
  readonly device: string;
  readonly image: string;
}

export interface LoopDisks {
  readonly folder: string;
  /** Where a test may mount. */
  readonly mount: string;
  readonly fstab: string;
  /** Variables that lead the scripts to this folder. */
  readonly roots: Readonly<Record<string, string>>;
  /** A blank disk. */
  make(serial: string, wwid?: string, bytes?: number): LoopDisk;
  /** This machine as a host that has these disks only. */
  host(more?: Readonly<Record<string, string>>): HostTransport;
  /** Lines of mountinfo that concern the folder. */
  mounts(): string;
  /** Unmounts, detaches and deletes everything, whatever failed before. */
  remove(): void;
}

export function loopDisks(): LoopDisks {
  const folder = mkdtempSync(join(tmpdir(), "omni-disk-"));
  const made: LoopDisk[] = [];
  const mount = join(folder, "mnt");
  const fstab = join(folder, "fstab");
  const roots = { OMNI_SYSFS: join(folder, "sys"), OMNI_FSTAB: fstab, OMNI_RUNTIME: folder };
  const mounts = (): string =>
    readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .filter((line) => line.includes(folder))
      .join("\n");
  return {
    folder,
    mount,
    fstab,
    roots,
    mounts,
    make: (serial, wwid = "eui.0025384b41b0c1d2", bytes = DISK_SIZE) => {
      const image = join(folder, `image-${made.length}`);
      writeFileSync(image, "");
      truncateSync(image, bytes);
      const device = tool("losetup", "--find", "--show", image);
      const disk = { device, image };
      made.push(disk);
      const entry = join(folder, "sys/class/block", device.slice("/dev/".length));
      mkdirSync(join(entry, "device"), { recursive: true });
      writeFileSync(join(entry, "device/serial"), `${serial}    \n`);
      writeFileSync(join(entry, "wwid"), `${wwid}\n`);
      return disk;
    },
    host: (more = {}) => {
      const local = localTransport();
      return {
        ...local,
        run: (command) =>
          local.run({ ...command, environment: { ...command.environment, ...roots, ...more } }),
      };
    },
    remove: () => {
      // Each by itself, so that one that is busy keeps no other.
      const steps = [
        ...mounts()
          .split("\n")
          .filter((line) => line !== "")
          .toReversed()
          .map((line) => (): unknown => tool("umount", line.split(" ")[4] ?? "")),
        ...made.splice(0).map(
          ({ device }) =>
            (): unknown =>
              tool("losetup", "-d", device),
        ),
        (): unknown => rmSync(folder, { recursive: true, force: true }),
      ];
      const failures = steps.flatMap((step) => {
        try {
          step();
          return [];
        } catch (error) {
          return [error];
        }
      });
      if (failures.length > 0) throw new AggregateError(failures, `${folder} could not be tidied up`);
    },
  };
}

/** What blkid finds on a disk. */
export const signature = ({ device }: LoopDisk): string =>
  tool("sh", "-c", 'blkid -p -o export "$0" || :', device);
export const uuidOf = (disk: LoopDisk): string => /^UUID=(.*)$/m.exec(signature(disk))?.[1] ?? "";
/** The file behind it is a hole from end to end: nothing was ever written. */
export const untouched = ({ image }: LoopDisk): boolean => statSync(image).blocks === 0;
/** SHA-256 of all that is on it. */
export function digest({ device, image }: LoopDisk): string {
  tool("blockdev", "--flushbufs", device);
  return createHash("sha256").update(readFileSync(image)).digest("hex");
}

export function writeAt(device: string, position: number, bytes: readonly number[]): void {
  const handle = openSync(device, "r+");
  writeSync(handle, Uint8Array.from(bytes), 0, bytes.length, position);
  fsyncSync(handle);
  closeSync(handle);
}
