import type { Rule } from "./rule.ts";
import { compareVersions, isAtLeast, releaseLine } from "../core/version-order.ts";

/** Oldest kernel line that each Proxmox VE expects after an upgrade. */
const EXPECTED: readonly { readonly release: string; readonly kernel: string }[] = [
  { release: "9", kernel: "6.14" },
];

/** A kernel line that this release of Proxmox VE does not expect. */
export const kernelUnexpectedForPve: Rule = {
  code: "kernel-unexpected-for-pve",
  severity: "warning",
  source: "Proxmox VE pve8to9: after the upgrade only kernels from 6.14 on are expected",
  find: ({ spec }) =>
    Object.entries(spec.machines).flatMap(([name, { platform, version, kernel }]) => {
      if (platform !== "proxmox" || version === undefined || kernel === undefined) return [];
      const expected = EXPECTED.find(({ release }) => isAtLeast(version, release));
      const key = (["pin", "package", "atMost"] as const).find(
        (each) => releaseLine(kernel[each] ?? "") !== undefined,
      );
      if (expected === undefined || key === undefined) return [];
      const line = releaseLine(kernel[key] ?? "") ?? "";
      if (compareVersions(line, expected.kernel) >= 0) return [];
      return [
        {
          at: ["machines", name, "kernel", key],
          message: `Proxmox VE ${version} expects kernel ${expected.kernel} or newer (pve8to9), and ${line} is asked for: Proxmox VE ${version} is not tested with it.`,
          hint: `Remove pin, package and atMost, or package: proxmox-kernel-${expected.kernel}`,
        },
      ];
    }),
};
