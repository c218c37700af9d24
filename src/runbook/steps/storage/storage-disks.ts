import type { DeployedModel, Deployment, Host } from "../../../deployment/index.ts";

type Disk = NonNullable<Host["disks"]>[string];

/** A disk that a step brings about, and what will lie on it. */
export interface StorageDisk {
  readonly id: string;
  readonly name: string;
  readonly disk: Disk;
  readonly host: Host;
  readonly by: "host" | "talos";
  /** Path in the spec. */
  readonly asked: string;
  readonly models: readonly DeployedModel[];
}

/**
 * The disks of a deployment that its hosts or Talos prepare. A disk that says nothing of it is its host's where that runs no
 * guest; a disk without a mount, with the system on it, or known by its mount alone, is nobody's to prepare.
 */
export function storageDisks({ hosts, guests, models }: Deployment): readonly StorageDisk[] {
  const all = hosts.flatMap((host) =>
    Object.entries(host.disks ?? {}).map(([name, disk]) => ({ host, name, disk })),
  );
  return all.flatMap(({ host, name, disk }) => {
    const hasGuest = guests.some(
      ({ machine }) => machine === host.name || (machine === undefined && hosts.length === 1),
    );
    const by = preparedBy(disk, host, hasGuest);
    if (by === undefined || disk.mount === undefined || disk.mount === "/" || disk.role === "system")
      return [];
    const alone = all.filter((other) => other.name === name).length === 1;
    return [
      {
        id: alone ? `disk/${name}` : `disk/${host.name}-${name}`,
        name,
        disk,
        host,
        by,
        asked: `${hosts.length > 1 ? `machines.${host.name}` : "metal"}.disks.${name}`,
        models: models.filter(
          (model) => model.disk === name && (model.machine === undefined || model.machine === host.name),
        ),
      },
    ];
  });
}

function preparedBy(disk: Disk, host: Host, hasGuest: boolean): StorageDisk["by"] | undefined {
  if (disk.prepare === "host") return "host";
  if (disk.prepare === "user-volume") return "talos";
  const identified = [disk.serial, disk.wwn, disk.byId, disk.device].some((part) => part !== undefined);
  const free = disk.prepare === undefined && !hasGuest && host.platform !== "talos";
  return free && identified ? "host" : undefined;
}
