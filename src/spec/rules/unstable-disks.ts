import { machinesOf } from "./hardware.ts";
import type { Rule } from "./rule.ts";

/** A kernel name can belong to another disk after the next boot, and a mount names none to format. */
export const unstableDisks: Rule = ({ spec, wasFaulty }, report) => {
  for (const { value: machine, path } of machinesOf(spec)) {
    for (const [name, disk] of Object.entries(machine.disks ?? {})) {
      const at = [...path, "disks", name];
      if (wasFaulty(at) || disk.byId !== undefined || disk.serial !== undefined || disk.wwn !== undefined)
        continue;
      if (disk.device === undefined) {
        if (disk.format !== "if-blank") continue;
        report({
          code: "spec.missing-key",
          path: [...at, "format"],
          message: "a disk that is known by its mount alone is never formatted",
          hint: "byId: nvme-…   # ls -l /dev/disk/by-id",
        });
        continue;
      }
      // A link under /dev/disk/by-id is as stable as byId itself.
      if (/^\/dev\/disk\/by-(?:id|partuuid|uuid)\//.test(disk.device)) continue;
      report({
        code: "disk-by-unstable-name",
        severity: "warning",
        path: [...at, "device"],
        message: `${disk.device} can be another disk after the next boot; nothing is formatted by this name alone`,
        hint: `serial: …   # lsblk -dno SERIAL ${disk.device}`,
      });
    }
  }
};
