import { readText } from "../../../inventory/cgroup.ts";
import type { Check, Finding } from "../check.ts";
import { hostParts } from "../facts/index.ts";

const ID = "iommu.interrupt-remapping";

/** Whether interrupts of a card are confined as its memory accesses are. /proc/interrupts names them `IR-…` then. */
export const interruptRemapping: Check = {
  id: ID,
  title: "Interrupt remapping",
  look(subject): readonly Finding[] {
    const { root } = subject.view;
    if ((hostParts(subject)?.cards ?? []).length === 0) return [];
    const interrupts = readText(`${root}proc/interrupts`);
    if (interrupts === "") return [{ check: ID, state: "unknown", seen: "/proc/interrupts cannot be read" }];
    if (/\bIR-(?:PCI|IO-APIC|HPET|DMAR)/.test(interrupts))
      return [{ check: ID, state: "ok", seen: "interrupts are remapped" }];
    const unsafe =
      readText(`${root}sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts`).trim() === "Y";
    return [
      {
        check: ID,
        state: unsafe ? "warning" : "error",
        seen: `no interrupt is remapped${unsafe ? ", and allow_unsafe_interrupts lets guests have cards all the same" : ""}`,
        wanted: "interrupt remapping",
        why: unsafe
          ? "A guest with a card can raise any interrupt of the host."
          : "vfio refuses to hand cards over without it.",
        remedy:
          "Turn on IOMMU and x2APIC in the BIOS; remove intremap=off or nox2apic from the boot line where it has them.",
        source: "Proxmox VE qm-pci-passthrough, interrupt remapping",
      },
    ];
  },
};
