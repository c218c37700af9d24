import { yamlDocument } from "../../documents/yaml.ts";
import { finding, NO_PATCH } from "../talos-guest.ts";
import type { PatchResult, TalosGuest } from "../talos-guest.ts";

/** Why a config's arguments do not reach the kernel here. */
function reason({ boot, contract, talos }: TalosGuest): string {
  if (boot === "systemd-boot")
    return `this guest boots by systemd-boot, which takes the command line of the image only ("extra kernel arguments are not supported when booting using SDBoot")`;
  if (contract.grubUsesImageCmdline)
    return `since Talos 1.12 GRUB takes the command line of the image too (grubUseUKICmdline), and validation refuses both together`;
  return `Talos ${talos.version} reads them under GRUB only, and the spec does not say that this machine boots by it (guest.talos.bootloader)`;
}

/** `70-kernel-arguments.yaml`: only where this version, booted this way, looks at them. */
export function kernelArgumentsPatch(own: TalosGuest): PatchResult {
  const { kernelArguments } = own.talos;
  if (kernelArguments?.by !== "machine-config" || kernelArguments.arguments.length === 0) return NO_PATCH;
  const { arguments: extraKernelArgs } = kernelArguments;
  if (!own.contract.honoursExtraKernelArgs(own.boot)) {
    const message = `${extraKernelArgs.join(" ")}: no patch is rendered, because ${reason(own)}.`;
    const hint =
      "by: schematic   # then upgrade to the new image; parameters of modules go under guest.talos.modules";
    return {
      diagnostics: [
        finding(own, "render.not-applicable", "error", "talos.kernelArguments.by", message, hint),
      ],
    };
  }
  return {
    patch: {
      file: "70-kernel-arguments.yaml",
      content: yamlDocument(
        { machine: { install: { extraKernelArgs } } },
        `Machine config patch: kernel arguments. Rendered by Omni from omni.yaml (guest ${own.name}), used by apply.sh. Talos ${own.contract.line} under GRUB writes them at the next install or upgrade, not before.`,
      ),
      reason: `Asked for by guests.${own.name}.talos.kernelArguments with by: machine-config.`,
      scope: "all",
    },
    diagnostics: [],
  };
}
