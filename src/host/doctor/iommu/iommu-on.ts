import { existsSync } from "node:fs";
import { readText } from "../../../inventory/cgroup.ts";
import { namesIn } from "../../../inventory/folder.ts";
import type { Check, Finding } from "../check.ts";
import { hostParts, parseArguments } from "../facts/index.ts";

const ID = "iommu.on";
const OFF = /^(?:iommu|amd_iommu|intel_iommu)=off$/;

/** Whether an IOMMU is at work, where cards are to be handed over. */
export const iommuOn: Check = {
  id: ID,
  title: "IOMMU",
  look(subject): readonly Finding[] {
    const { root } = subject.view;
    const cards = hostParts(subject)?.cards ?? [];
    const units = namesIn(`${root}sys/class/iommu`);
    if (units.length > 0) {
      const count = namesIn(`${root}sys/kernel/iommu_groups`).length;
      return [{ check: ID, state: "ok", seen: `${units.join(", ")} at work, ${count} groups` }];
    }
    if (cards.length === 0) return [];
    if (!existsSync(`${root}sys/class`) || !existsSync(`${root}sys/bus/pci`))
      return [
        {
          check: ID,
          state: "unknown",
          seen: "/sys is not to be seen here, as in a container; look on the host itself",
        },
      ];
    const off = parseArguments(readText(`${root}proc/cmdline`)).find((word) => OFF.test(word));
    return [
      {
        check: ID,
        state: "error",
        seen: `/sys/class/iommu is empty${off === undefined ? "" : `, and the boot line has ${off}`}`,
        wanted: "an IOMMU at work",
        why: `Without it no card can be handed over: ${cards.map(({ name }) => name).join(", ")}.`,
        remedy:
          off === undefined
            ? "Turn it on in the BIOS: IOMMU (AMD: under NBIO or North Bridge; Intel: VT-d), and SVM or VT-x."
            : `Remove ${off} from the boot line, then reboot.`,
        path: `machines.${subject.host?.name ?? ""}.passthrough`,
        source: "Proxmox VE qm-pci-passthrough",
      },
    ];
  },
};
