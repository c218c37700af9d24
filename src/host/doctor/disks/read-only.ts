import { readText } from "../../../inventory/cgroup.ts";
import type { Check } from "../check.ts";

const ID = "disks.read-only";
const WRITABLE = new Set(["ext4", "ext3", "xfs", "btrfs", "f2fs"]);

/** File systems that the kernel has taken writing away from. */
export const diskReadOnly: Check = {
  id: ID,
  title: "File systems that became read-only",
  look: ({ view }) => {
    const lines = readText(`${view.root}proc/self/mountinfo`).split("\n");
    return lines.flatMap((line) => {
      // proc(5): id, parent, device, root, path, options, optional fields up to `-`, type, source, options of the file system.
      const [before = "", after = ""] = line.split(" - ");
      const path = before.split(" ")[4];
      const [filesystem = "", source = "", options = ""] = after.split(" ");
      const words = options.split(",");
      if (path === undefined || !WRITABLE.has(filesystem) || !words.includes("ro")) return [];
      if (!source.startsWith("/dev/") || /^\/dev\/(?:loop|sr)/.test(source)) return [];
      const broken = words.some((word) => /^errors=remount-ro|^shutdown|emergency_ro/.test(word));
      return [
        {
          check: ID,
          subject: path,
          state: broken || path === "/" ? ("error" as const) : ("warning" as const),
          seen: `${filesystem} of ${source} is mounted read-only (${options})`,
          wanted: "read and write",
          why: broken
            ? "The kernel turns a file system read-only when it meets an error in it."
            : "Nothing can be stored there.",
          remedy: `dmesg | grep -i -e 'I/O error' -e ${filesystem}; back up what is on it, then fsck it unmounted.`,
        },
      ];
    });
  },
};
