import { z } from "zod";
import type { Check, DoctorSubject, Finding } from "../check.ts";
import { saidJson } from "../said.ts";
import { blockDevice, signaturesOf } from "./block-devices.ts";
import { findDisk } from "./disk-identity.ts";
import type { SpecDisk } from "./disk-identity.ts";

const ID = "disks.blank";
const WIPEFS = z.object({ signatures: z.array(z.object({ type: z.string(), offset: z.string() })) });

/** Disks that Omni may format are blank, or carry what they are to carry already. */
export const diskBlank: Check = {
  id: ID,
  title: "Disks that may be formatted",
  look: async (subject) => {
    const disks = Object.entries(subject.host?.disks ?? {}).filter(([, disk]) => disk.format === "if-blank");
    return (await Promise.all(disks.map(([name, disk]) => findingOf(subject, name, disk)))).flat();
  },
};

async function findingOf(
  { view, host }: DoctorSubject,
  name: string,
  disk: SpecDisk,
): Promise<readonly Finding[]> {
  const seen = findDisk(view, disk);
  // That it is not there is said by its identity.
  if (seen === undefined) return [];
  const base = {
    check: ID,
    subject: `disk ${name}`,
    path: `machines.${host?.name ?? ""}.disks.${name}.format`,
  } as const;
  const device = await blockDevice(view, seen.name);
  if (device === undefined)
    return [
      {
        ...base,
        state: "unknown",
        seen: `lsblk does not tell what is on /dev/${seen.name}`,
        wanted: "a blank disk",
        why: "A disk whose contents nobody can name is not formatted.",
        remedy: `lsblk -f /dev/${seen.name}; blkid -p /dev/${seen.name}`,
      },
    ];
  if (device.fstype === disk.filesystem && disk.filesystem !== undefined)
    return [{ ...base, state: "ok", seen: `${disk.filesystem} is on it already` }];
  const argv = ["wipefs", "--no-act", "--json", `/dev/${seen.name}`] as const;
  const wiped = await saidJson(view, argv, WIPEFS);
  const raw = (wiped?.signatures ?? []).map(({ type, offset }) => `${type} at ${offset}`);
  const found = signaturesOf(device);
  const all = found.length > 0 ? found : raw;
  if (all.length === 0) return [{ ...base, state: "ok", seen: `/dev/${seen.name} is blank` }];
  return [
    {
      ...base,
      state: "error",
      seen: `/dev/${seen.name} carries ${all.join(", ")}`,
      wanted: "a disk without any signature",
      why: "Somebody's data may be on it. format: if-blank never formats such a disk.",
      remedy: `Look at it first. When nothing on it is needed: wipefs --all /dev/disk/by-id/${seen.byId ?? "NAME"}   # destroys it`,
      source: "refuse mkfs unless blkid and lsblk show no signature and the serial matches",
    },
  ];
}
