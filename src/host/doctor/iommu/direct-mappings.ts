import { isAtLeast } from "../../../core/version-order.ts";
import { readText } from "../../../inventory/cgroup.ts";
import type { Check, Finding } from "../check.ts";
import { cardsOf, readKernelLog, runningKernel } from "../facts/index.ts";

const ID = "iommu.direct-mappings";

/** Memory that the firmware wants mapped one to one for a card: the kernel then may not hand the card over. */
export const directMappings: Check = {
  id: ID,
  title: "Memory that firmware reserves for a card",
  async look(subject): Promise<readonly Finding[]> {
    const { root } = subject.view;
    const cards = cardsOf(subject).filter(({ passed, functions }) => passed && functions.length > 0);
    if (cards.length === 0) return [];
    const log = await readKernelLog(subject.view);
    const refused = log.readable ? log.lines.filter(({ text }) => text.includes("1:1 IOMMU mapping")) : [];
    const recent = isAtLeast(runningKernel(root) ?? "0", "6.17");
    return cards.flatMap(({ subject: name, functions, slot, path }) => {
      const numbers = [...new Set(functions.flatMap(({ group }) => group ?? []))];
      const regions = numbers.flatMap((number) =>
        readText(`${root}sys/kernel/iommu_groups/${number}/reserved_regions`)
          .split("\n")
          .filter((line) => line.endsWith(" direct")),
      );
      const told = refused.some(({ text, thisBoot }) => thisBoot && text.includes(slot ?? ""));
      if (regions.length === 0 && !told) return [];
      return [
        {
          check: ID,
          subject: name,
          state: told || recent ? ("error" as const) : ("warning" as const),
          seen: told
            ? 'the kernel refused it: "Firmware has requested this device have a 1:1 IOMMU mapping"'
            : `firmware wants ${regions.length} range${regions.length === 1 ? "" : "s"} of memory mapped one to one for it (${regions[0]?.replace(/ direct$/, "").replace(" ", "–") ?? ""})`,
          wanted: "no such range",
          why: "The kernel does not give a guest a card whose firmware needs such a range (seen with 6.17 and iommu=pt on RTX 50), so the VM does not start.",
          remedy:
            'Update the BIOS, and turn "Pre-boot DMA protection" off; removing iommu=pt from the boot line helps some hosts.',
          ...(path === undefined ? {} : { path }),
          source: "drivers/iommu require_direct; ACPI IVRS (IVMD) and DMAR (RMRR)",
        },
      ];
    });
  },
};
