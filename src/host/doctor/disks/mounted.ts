import { formatBytes } from "../../../core/index.ts";
import { mountOf } from "../../../inventory/index.ts";
import type { Check, DoctorSubject, Finding } from "../check.ts";
import { enginesRunHere } from "../scope.ts";
import { findDisk, stableIdentity } from "./disk-identity.ts";
import type { SpecDisk } from "./disk-identity.ts";

const ID = "disks.mounted";

/** Each disk is mounted where the spec says, and what is mounted there is that disk. */
export const diskMounted: Check = {
  id: ID,
  title: "Mounts of the spec",
  look: async (subject) => {
    if (!enginesRunHere(subject)) return [];
    const disks = Object.entries(subject.host?.disks ?? {});
    return Promise.all(
      disks.flatMap(([name, disk]) =>
        disk.mount === undefined ? [] : [findingOf(subject, name, disk, disk.mount)],
      ),
    );
  },
};

async function findingOf(
  { view, host }: DoctorSubject,
  name: string,
  disk: SpecDisk,
  path: string,
): Promise<Finding> {
  const base = {
    check: ID,
    subject: path,
    path: `machines.${host?.name ?? ""}.disks.${name}.mount`,
    wanted: `${disk.filesystem ?? "a file system"} of the disk ${name} (${stableIdentity(disk) ?? disk.device ?? "any"})`,
  } as const;
  const holder = view.machine.disks.find(({ mounts }) => mounts.some((mount) => mount.path === path));
  const mount = holder?.mounts.find((one) => one.path === path);
  if (holder === undefined || mount === undefined) return notMounted(base, view, path);
  const meant = findDisk(view, disk);
  if (meant !== undefined && meant.name !== holder.name)
    return {
      ...base,
      state: "error",
      seen: `/dev/${holder.name}, not /dev/${meant.name}, is mounted there`,
      why: "Models would fill another disk, and the one that was bought for them stays empty.",
      remedy: `findmnt ${path}; mount the right disk by its UUID in /etc/fstab`,
    };
  if (disk.filesystem !== undefined && disk.filesystem !== mount.filesystem)
    return {
      ...base,
      state: "warning",
      seen: `${mount.filesystem} on /dev/${holder.name}`,
      why: "The file system is another than the spec says; nothing is formatted over it.",
      remedy: `filesystem: ${mount.filesystem}`,
    };
  const { wanted: _wanted, ...plain } = base;
  return {
    ...plain,
    state: "ok",
    seen: `${mount.filesystem} on /dev/${holder.name}, ${formatBytes(mount.free)} of ${formatBytes(mount.size)} free`,
  };
}

async function notMounted(
  base: Pick<Finding, "check" | "subject" | "path" | "wanted">,
  view: DoctorSubject["view"],
  path: string,
): Promise<Finding> {
  const below = mountOf(view.machine, path);
  const there = await view.space(path);
  if (there === undefined || below === undefined)
    return {
      ...base,
      state: "error",
      seen: "nothing is mounted there, and there is no such folder",
      why: "Services that read models from it cannot start.",
      remedy: "./omni apply --to storage   # or mount it by its UUID in /etc/fstab",
    };
  return {
    ...base,
    state: "error",
    seen: `a plain folder of the file system ${below.path} (${formatBytes(below.free)} free)`,
    why: `A download would silently fill ${below.path} under the same path, and the system stops when it is full.`,
    remedy: `Move what lies in ${path} aside, then mount the disk there by its UUID in /etc/fstab.`,
    source: "facts of Talos volumes: a mount that is lost at reboot fills the partition below it",
  };
}
