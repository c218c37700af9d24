import type { Artifact } from "../artifact.ts";
import { unitFile } from "./unit.ts";

/** What starts and stops all of Omni at once, and the slice under which all of it is accounted. */
export const groupUnits: readonly Artifact[] = [
  {
    path: "systemd/omni.target",
    content: unitFile({
      header: [
        "omni.target: all units of Omni together: systemctl start omni.target, systemctl stop omni.target.",
        "Rendered by Omni from omni.yaml; change that and render again.",
      ],
      sections: [
        { name: "Unit", lines: [["Description", "Omni: all engines and the gateway"]] },
        { name: "Install", lines: [["WantedBy", "multi-user.target"]] },
      ],
    }),
    mode: 0o644,
    reason: "asked for by the units: one name that starts and stops them all",
  },
  {
    path: "systemd/omni.slice",
    content: unitFile({
      header: [
        "omni.slice: the cgroup of all engines. What they take together: systemctl status omni.slice, systemd-cgtop.",
        "Rendered by Omni from omni.yaml; change that and render again. A bound for all of them: systemctl set-property omni.slice MemoryMax=…",
      ],
      sections: [{ name: "Unit", lines: [["Description", "Omni: everything that its units take"]] }],
    }),
    mode: 0o644,
    reason: "asked for by the units: memory and processor of all engines in one place",
  },
];
