import { existsSync } from "node:fs";
import { readText } from "../../../inventory/cgroup.ts";
import { enginesRunHere } from "../scope.ts";
import type { Check } from "../check.ts";

const ID = "containers.cgroup";

/** The host counts and bounds memory by one hierarchy of cgroups. */
export const cgroupVersion: Check = {
  id: ID,
  title: "cgroup v2",
  look: (subject) => {
    const { root } = subject.view;
    const membership = readText(`${root}proc/self/cgroup`);
    if (!enginesRunHere(subject) || membership === "") return [];
    const unified = existsSync(`${root}sys/fs/cgroup/cgroup.controllers`) || /^0::/m.test(membership);
    const legacy = /^\d+:[^:]*\bmemory\b[^:]*:/m.test(membership);
    if (unified && !legacy) return [{ check: ID, state: "ok", seen: "cgroup v2" }];
    return [
      {
        check: ID,
        state: "warning",
        seen: unified ? "cgroup v1 and v2 side by side" : "cgroup v1",
        wanted: "cgroup v2",
        why: "Omni reads memory pressure and limits engines by v2; with v1 it sees less and can bound less.",
        remedy: "Remove systemd.unified_cgroup_hierarchy=0 from the boot line, then reboot.",
      },
    ];
  },
};
