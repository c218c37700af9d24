import type { Host } from "../../../deployment/index.ts";
import { readText } from "../../../inventory/cgroup.ts";
import { linkName } from "../../../inventory/folder.ts";
import type { MachineInventory } from "../../../inventory/index.ts";
import type { HostView } from "../check.ts";

export type SpecDisk = NonNullable<Host["disks"]>[string];
export type SeenDisk = MachineInventory["disks"][number];

/** World wide names are written with several beginnings for the same number: `eui.0025…`, `naa.5002…`, `0x5002…`. */
const bareWwn = (text: string): string =>
  text
    .trim()
    .toLowerCase()
    .replace(/^(?:nvme-|wwn-)?(?:eui\.|naa\.|0x)?/, "");

function wwnOf(view: HostView, name: string): string {
  const folder = `${view.root}sys/block/${name}/`;
  return bareWwn(readText(`${folder}wwid`) || readText(`${folder}device/wwid`));
}

/** Disks proper: what has a size of its own, not a pool of several. */
export const wholeDisks = (view: HostView): readonly SeenDisk[] =>
  view.machine.disks.filter(({ size }) => size !== undefined);

/** The identities of a spec's disk that outlive a boot, for a person. */
export function stableIdentity({ serial, byId, wwn }: SpecDisk): string | undefined {
  if (serial !== undefined) return `serial ${serial}`;
  if (byId !== undefined) return `/dev/disk/by-id/${byId}`;
  return wwn === undefined ? undefined : `wwn ${wwn}`;
}

/** The disk that the spec means, by what outlives a boot; by its kernel name only where the spec gives nothing else. */
export function findDisk(view: HostView, disk: SpecDisk): SeenDisk | undefined {
  const { serial, byId, wwn, device } = disk;
  if (stableIdentity(disk) === undefined)
    return wholeDisks(view).find(({ name }) => device === `/dev/${name}`);
  const linked = byId === undefined ? undefined : linkName(`${view.root}dev/disk/by-id/${byId}`);
  return wholeDisks(view).find(
    (seen) =>
      (serial === undefined || seen.serial === serial.trim()) &&
      (byId === undefined || seen.byId === byId || (linked !== undefined && seen.name === linked)) &&
      (wwn === undefined || wwnOf(view, seen.name) === bareWwn(wwn)),
  );
}
