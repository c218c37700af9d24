import type { Rule } from "./rule.ts";

/** Formatting by a name that another disk may have; the spec's own rule of this code warns of the name as such. */
export const diskByUnstableName: Rule = {
  code: "disk-by-unstable-name",
  severity: "error",
  source:
    "Linux: /dev/nvme0n1 and /dev/sda are given in the order of detection; systemd, predictable device names",
  find: ({ spec }) =>
    Object.entries(spec.machines).flatMap(([machine, { disks = {} }]) =>
      Object.entries(disks).flatMap(([name, { device, byId, serial, wwn, format, filesystem }]) => {
        if (format !== "if-blank" || device === undefined) return [];
        if (byId !== undefined || serial !== undefined || wwn !== undefined) return [];
        if (/^\/dev\/disk\/by-(?:id|partuuid|uuid)\//.test(device)) return [];
        return [
          {
            at: ["machines", machine, "disks", name, "format"],
            message: `format: if-blank asks for mkfs.${filesystem ?? "xfs"} on ${device}, and at each boot that name goes to whichever disk answers first: a new, blank disk would be formatted in place of ${name}. Omni refuses to format by this name.`,
            hint: `serial: …   # lsblk -dno SERIAL ${device}`,
          },
        ];
      }),
    ),
};
