import { saidText } from "../said.ts";
import { enginesRunHere } from "../scope.ts";
import type { Check } from "../check.ts";

const ID = "containers.cgroup";

/** The host counts and bounds memory by one hierarchy of cgroups. */
export const cgroupVersion: Check = {
  id: ID,
  title: "cgroup v2",
  look: async (subject) => {
    if (!enginesRunHere(subject)) return [];
    const type = (await saidText(subject.view, ["stat", "-f", "-c", "%T", "/sys/fs/cgroup"]))?.trim();
    if (type === undefined) return [];
    if (type === "cgroup2fs") return [{ check: ID, state: "ok", seen: "cgroup v2" }];
    return [
      {
        check: ID,
        state: "warning",
        seen: `/sys/fs/cgroup is of the type ${type}`,
        wanted: "cgroup2fs: cgroup v2 alone",
        why: "Omni reads memory pressure and limits engines by v2; with v1 it sees less and can bound less.",
        remedy: "Remove systemd.unified_cgroup_hierarchy=0 from the boot line, then reboot.",
      },
    ];
  },
};
