import { formatBytes } from "../../../core/index.ts";
import type { Check, DoctorSubject, Finding } from "../check.ts";
import { findDisk, stableIdentity, wholeDisks } from "./disk-identity.ts";
import type { SeenDisk, SpecDisk } from "./disk-identity.ts";

const ID = "disks.identity";
/** Makers count in powers of ten, systems in powers of two, and partitioning takes some: less is another disk. */
const TOLERANCE = 0.02;

const shown = ({ name, serial, size = 0, model = "disk" }: SeenDisk): string =>
  `/dev/${name} (${model}, ${formatBytes(size)}, serial ${serial ?? "unknown"})`;

/** Every disk of the spec is there, by what outlives a boot, and as large as the spec says. */
export const diskIdentity: Check = {
  id: ID,
  title: "Disks of the spec",
  look: (subject) =>
    Object.entries(subject.host?.disks ?? {})
      .filter(([, disk]) => stableIdentity(disk) !== undefined || disk.device !== undefined)
      .map(([name, disk]) => findingOf(subject, name, disk)),
};

function findingOf({ view, host }: DoctorSubject, name: string, disk: SpecDisk): Finding {
  const base = {
    check: ID,
    subject: `disk ${name}`,
    path: `machines.${host?.name ?? ""}.disks.${name}`,
  } as const;
  const wanted = stableIdentity(disk) ?? disk.device ?? "";
  const disks = wholeDisks(view);
  if (disks.length === 0)
    return { ...base, state: "unknown", seen: "no disk of this host can be seen", wanted };
  const seen = findDisk(view, disk);
  if (seen === undefined)
    return {
      ...base,
      state: "error",
      seen: `none of ${disks.map(shown).join(", ")}`,
      wanted,
      why: "Nothing is formatted, mounted or filled on a disk that is not the one you named.",
      remedy: "lsblk -dno NAME,SERIAL,SIZE,MODEL   # and put the serial of the right one into the spec",
    };
  const size = seen.size ?? 0;
  if (disk.size !== undefined && Math.abs(size - disk.size) > disk.size * TOLERANCE)
    return {
      ...base,
      state: "error",
      seen: `${shown(seen)}, ${formatBytes(Math.abs(size - disk.size))} ${size < disk.size ? "smaller" : "larger"}`,
      wanted: `${formatBytes(disk.size)} within 2 %`,
      why: "A disk of another size is likely another disk.",
      remedy: "Correct size or identity in the spec after looking at lsblk -d.",
    };
  if (stableIdentity(disk) !== undefined) return { ...base, state: "ok", seen: shown(seen) };
  return {
    ...base,
    state: "warning",
    seen: `${shown(seen)}, found by its name alone`,
    wanted: "a serial, wwn or name under /dev/disk/by-id",
    why: "Kernel names change between boots: the same name can be another disk tomorrow.",
    remedy: seen.serial === undefined ? "ls -l /dev/disk/by-id" : `serial: ${JSON.stringify(seen.serial)}`,
  };
}
