import { hostArguments } from "./host-arguments.ts";
import type { Rule } from "./rule.ts";

/** `amd_iommu=on`, which the kernel does not know. */
export const amdIommuOnNoop: Rule = {
  code: "amd-iommu-on-noop",
  severity: "warning",
  source: "Proxmox qm-pci-passthrough: the AMD IOMMU is on by default; Linux kernel-parameters: amd_iommu=",
  find: ({ spec }) =>
    hostArguments(spec)
      .filter(({ argument }) => argument === "amd_iommu=on")
      .map(({ at }) => ({
        at,
        message:
          "amd_iommu=on changes nothing: `on` is no value of it, the kernel logs \"AMD-Vi: Unknown option - 'on'\", and the AMD IOMMU is on by default.",
        hint: "Remove it; iommu=pt is the argument that has a meaning here.",
      })),
};
