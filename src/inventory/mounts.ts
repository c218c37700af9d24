import { statSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { readText } from "./cgroup.ts";
import type { MachineInventory, MountInventory } from "./machine.ts";

/** A mounted file system with what it lies on. */
export interface ObservedMount extends MountInventory {
  /** Major and minor number of the block device, `259:2`; `0:x` where the file system has none of its own. */
  readonly device: string;
  /** What was mounted, as typed: `/dev/nvme0n1p2`, `tank/models`. */
  readonly source: string;
}

/** File systems that keep data over a reboot on hardware of this machine. Others are made up, or hang with a network. */
const LOCAL = new Set(
  "ext2 ext3 ext4 xfs btrfs zfs f2fs bcachefs jfs reiserfs nilfs2 vfat exfat ntfs ntfs3 fuseblk".split(" "),
);

interface Line {
  readonly device: string;
  readonly path: string;
  readonly filesystem: string;
  readonly source: string;
}

/** Bytes of the file system at a path of the machine. Throws where it cannot be asked. */
export type MeasureSpace = (path: string) => Promise<{ readonly size: number; readonly free: number }>;

/**
 * Local file systems that are mounted, each once, and the root file system whatever it is. Sizes come from statfs of
 * the mount under `root` unless `space` tells them. What cannot be asked is left out and named in `failed`.
 */
export async function observeMounts(
  root = "/",
  space: MeasureSpace = (path) => spaceAt(root + path.slice(1)),
): Promise<{ mounts: readonly ObservedMount[]; rootMount?: MountInventory; failed: readonly string[] }> {
  const lines = mountLines(readText(`${root}proc/self/mountinfo`));
  const failed: string[] = [];
  const measure = async (line: Line): Promise<ObservedMount[]> => {
    try {
      return [{ ...line, ...(await space(line.path)) }];
    } catch {
      failed.push(line.path);
      return [];
    }
  };
  const mounts = (await Promise.all(oncePerDevice(lines, root).map(measure))).flat();
  const last = lines.findLast((line) => line.path === "/");
  const [own] = last === undefined ? [] : await measure(last);
  return { mounts, ...(own === undefined ? {} : { rootMount: asMount(own) }), failed };
}

/** Bytes of the file system at a path of this machine; free is what a process without privileges may take. */
export async function spaceAt(path: string): Promise<{ readonly size: number; readonly free: number }> {
  const { bsize, blocks, bavail } = await statfs(path);
  return { size: bsize * blocks, free: bsize * bavail };
}

/** A mount without what it lies on. */
export const asMount = ({ path, filesystem, size, free }: ObservedMount): MountInventory => ({
  path,
  filesystem,
  size,
  free,
});

/** Source: proc(5): id, parent, major:minor, root, mount point, options, optional fields up to `-`, type, source. */
function mountLines(mountinfo: string): Line[] {
  return mountinfo.split("\n").flatMap((line) => {
    const [before = "", after = ""] = line.split(" - ");
    const [, , device, , path] = before.split(" ");
    const [filesystem, source] = after.split(" ");
    if (device === undefined || path === undefined || filesystem === undefined || source === undefined)
      return [];
    return [{ device, path: unescape(path), filesystem, source: unescape(source) }];
  });
}

/** The kernel writes blanks and backslashes as octal: `\040`. */
const unescape = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** One mount for each device: bind mounts and subvolumes show the same space again. Shortest path first. */
function oncePerDevice(lines: readonly Line[], root: string): Line[] {
  const seen = new Set<string>();
  return lines
    .filter((line) => LOCAL.has(line.filesystem) && isFolder(root + line.path.slice(1)))
    .toSorted((a, b) => a.path.length - b.path.length)
    .filter(({ device, source }) => {
      const key = device.startsWith("0:") ? source : device;
      return !seen.has(key) && seen.add(key);
    });
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    // It is asked again where a failure is told.
    return true;
  }
}

/** The mount that an absolute path lies on: the deepest one above it that the inventory knows. */
export function mountOf(machine: MachineInventory, path: string): MountInventory | undefined {
  const mounts = [
    ...machine.disks.flatMap((disk) => disk.mounts),
    ...(machine.root === undefined ? [] : [machine.root]),
  ];
  const above = mounts.filter(
    (mount) => mount.path === "/" || path === mount.path || path.startsWith(`${mount.path}/`),
  );
  return above.toSorted((a, b) => b.path.length - a.path.length)[0];
}
