import { hostArguments } from "./host-arguments.ts";
import type { Rule } from "./rule.ts";

/** `pcie_aspm=off`, which does not switch power saving off. */
export const pcieAspmOffNoop: Rule = {
  code: "pcie-aspm-off-noop",
  severity: "warning",
  source: "Linux kernel-parameters.txt, pcie_aspm=off",
  find: ({ spec }) =>
    hostArguments(spec)
      .filter(({ argument }) => argument === "pcie_aspm=off")
      .map(({ at }) => ({
        at,
        message:
          'pcie_aspm=off does not switch power saving of the links off: "Don\'t touch ASPM configuration at all. Leave any configuration done by firmware unchanged."',
        hint: "pcie_aspm.policy=performance   # and ASPM off in the BIOS",
      })),
};
