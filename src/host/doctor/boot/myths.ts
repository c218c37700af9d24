/** An argument that does not do what its owner thinks. */
export interface Myth {
  readonly argument: string;
  /** On whose processors it is one; on all when absent. */
  readonly vendor?: "AuthenticAMD" | "GenuineIntel";
  readonly state: "note" | "warning";
  readonly why: string;
  readonly remedy: string;
  readonly source: string;
}

/** What guides repeat and the kernel does not know. */
export const MYTHS: readonly Myth[] = [
  {
    argument: "amd_iommu=on",
    state: "note",
    why: "`on` is no value of amd_iommu: the kernel logs \"AMD-Vi: Unknown option - 'on'\", and the AMD IOMMU is on by default.",
    remedy: "Remove it; iommu=pt is the argument that has a meaning here.",
    source: "Proxmox VE qm-pci-passthrough; Linux kernel-parameters.txt, amd_iommu=",
  },
  {
    argument: "intel_iommu=on",
    vendor: "AuthenticAMD",
    state: "note",
    why: "This processor is an AMD: intel_iommu is never read.",
    remedy: "Remove it.",
    source: "Linux kernel-parameters.txt, intel_iommu=",
  },
  {
    argument: "pcie_aspm=off",
    state: "warning",
    why: 'It does not switch power saving of the links off: "Don\'t touch ASPM configuration at all. Leave any configuration done by firmware unchanged."',
    remedy: "pcie_aspm.policy=performance   # and ASPM off in the BIOS",
    source: "Linux kernel-parameters.txt, pcie_aspm=off",
  },
];
