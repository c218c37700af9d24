import { GIB } from "../core/index.ts";
import type { DiskInventory } from "../inventory/index.ts";
import { serviceName } from "../spec/index.ts";
import { uniqueName } from "./init-models.ts";
import { amount, Claims, isTypeable, present, text } from "./init-typed.ts";
import type { Section, TypedMap } from "./init-typed.ts";

const FILE_SYSTEMS = new Set(["xfs", "ext4", "btrfs", "zfs"]);

/** The disks of a spec by name; those with one of these mounts are for models. */
export function disksOf(
  disks: readonly DiskInventory[],
  mountsOfModels: ReadonlySet<string | undefined>,
): Section {
  const value: Record<string, TypedMap> = {};
  const about: Record<string, string> = {};
  const leftOut: string[] = [];
  const names = new Set<string>();
  const claims = new Claims();
  for (const disk of disks) {
    const mount = mainMount(disk);
    const system = mount?.path === "/";
    const typed = present({
      byId: claims.once("byId", text(disk.byId)),
      serial: claims.once("serial", text(disk.serial)),
      size: disk.size === undefined || disk.size < 1 ? undefined : amount(disk.size),
      mount: claims.once("mount", mount === undefined || !isTypeable(mount.path) ? undefined : mount.path),
      filesystem: mount !== undefined && FILE_SYSTEMS.has(mount.filesystem) ? mount.filesystem : undefined,
      role: system ? "system" : mount !== undefined && mountsOfModels.has(mount.path) ? "models" : undefined,
    });
    const said = [
      disk.name,
      disk.model,
      mount === undefined ? undefined : `${(mount.free / GIB).toFixed(1)} GiB free`,
    ]
      .filter((part) => part !== undefined)
      .join(", ");
    if (!["byId", "serial", "mount"].some((key) => key in typed)) {
      leftOut.push(`${said}: no serial number and no file system, so nothing names it after the next boot`);
      continue;
    }
    const name = uniqueName(
      system ? "system" : serviceName(mount?.path ?? "").slice(0, 56) || "disk",
      names,
      63,
    );
    value[name] = typed;
    about[name] = said;
  }
  return { value, about, leftOut };
}

/** The root file system, or the largest. */
const mainMount = (disk: DiskInventory): DiskInventory["mounts"][number] | undefined =>
  disk.mounts.find((mount) => mount.path === "/") ?? disk.mounts.toSorted((a, b) => b.size - a.size)[0];
