import { talosBoot } from "../catalog/index.ts";
import type { Severity } from "../core/index.ts";
import type { Spec } from "../spec/index.ts";
import { guestsOf } from "./hardware.ts";
import { isTalosLoadedParameter } from "./talos-loaded-modules.ts";
import type { Rule } from "./rule.ts";
import { isAtLeast } from "../core/version-order.ts";

type Guest = Spec["guests"][string];

function fate(guest: Guest, version: string): { readonly why: string; readonly severity: Severity } {
  const firmware = guest.vm?.firmware === "ovmf" ? " (firmware: ovmf)" : "";
  const sdBoot = `booted by systemd-boot${firmware} it ignores install.extraKernelArgs ("extra kernel arguments are not supported when booting using SDBoot")`;
  const grub = isAtLeast(version, "1.12")
    ? `under GRUB its config says grubUseUKICmdline, and validation refuses both ("install.extraKernelArgs and install.grubUseUKICmdline can't be used together")`
    : "under GRUB they are applied at the next install or upgrade only";
  switch (talosBoot(guest)) {
    case "systemd-boot":
      return { why: sdBoot, severity: "error" };
    case "grub":
      return { why: grub, severity: isAtLeast(version, "1.12") ? "error" : "warning" };
    case "unknown":
      return { why: `${sdBoot}; ${grub}`, severity: isAtLeast(version, "1.12") ? "error" : "warning" };
  }
}

/** Kernel arguments patched into the machine config, where this boot path does not look for them. */
export const talosKernelArgsIgnored: Rule = {
  code: "talos-kernel-args-ignored",
  severity: "error",
  source:
    "https://github.com/siderolabs/talos (v1.12 bootloader docs and v1alpha1 validation); https://github.com/siderolabs/talos/issues/11145",
  find: ({ spec }) =>
    guestsOf(spec).flatMap(({ name, guest }) => {
      const { talos } = guest;
      const typed = talos?.kernelArguments;
      if (talos === undefined || typed?.by !== "machine-config" || typed.arguments.length === 0) return [];
      const { why, severity } = fate(guest, talos.version);
      const rest = typed.arguments
        .flatMap((entry) => entry.split(/\s+/))
        .filter((argument) => !isTalosLoadedParameter(talos, argument));
      return [
        {
          at: ["guests", name, "talos", "kernelArguments", "by"],
          message: `${typed.arguments.join(" ")} in the machine config ${severity === "error" ? "never reach" : "may not reach"} the kernel of Talos ${talos.version}: ${why}.`,
          hint:
            rest.length === 0
              ? "Remove kernelArguments; parameters of modules go under guest.talos.modules."
              : `kernelArguments: [${rest.join(", ")}]   # a list goes into the schematic; then upgrade to its image`,
          severity,
        },
      ];
    }),
};
