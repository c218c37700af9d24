import { readText } from "../../../inventory/cgroup.ts";
import type { Check, Finding } from "../check.ts";
import { parseArguments } from "../facts/index.ts";

const ID = "iommu.acs-override";

/** Groups that are taken apart by decree and not by the hardware. */
export const acsOverride: Check = {
  id: ID,
  title: "ACS override",
  look({ view }): readonly Finding[] {
    const word = parseArguments(readText(`${view.root}proc/cmdline`)).find((each) =>
      each.startsWith("pcie_acs_override="),
    );
    if (word === undefined) return [];
    return [
      {
        check: ID,
        state: "warning",
        seen: `the boot line has ${word}`,
        why: "It claims that devices are kept apart which are not: a guest's card can write into memory of the others, past the IOMMU.",
        remedy: "Use slots whose groups are apart by themselves, and remove it.",
        source: "Proxmox VE qm-pci-passthrough, PCI device isolation",
      },
    ];
  },
};
