import { machinesOf } from "./hardware.ts";
import type { Rule } from "./rule.ts";

/** A kernel name such as /dev/nvme0n1 can belong to another disk after the next boot. */
export const unstableDisks: Rule = ({ spec, wasFaulty }, report) => {
  for (const { value: machine, path } of machinesOf(spec)) {
    for (const [name, disk] of Object.entries(machine.disks ?? {})) {
      const at = [...path, "disks", name];
      if (
        disk.device === undefined ||
        disk.byId !== undefined ||
        disk.serial !== undefined ||
        disk.wwn !== undefined ||
        wasFaulty(at)
      )
        continue;
      // A link under /dev/disk/by-id is as stable as byId itself.
      if (/^\/dev\/disk\/by-(?:id|partuuid|uuid)\//.test(disk.device)) continue;
      report({
        code: "spec.disk-unstable-name",
        severity: "warning",
        path: [...at, "device"],
        message: `${disk.device} can be another disk after the next boot; nothing is formatted by this name alone`,
        hint: `serial: …   # lsblk -dno SERIAL ${disk.device}`,
      });
    }
  }
};
