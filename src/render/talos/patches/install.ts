import type { Diagnostic } from "../../../core/index.ts";
import { yamlDocument } from "../../documents/yaml.ts";
import { selectDisk, virtualDisk } from "../disk-selector.ts";
import { installerImage } from "../images.ts";
import type { Schematic } from "../schematic.ts";
import { finding } from "../talos-guest.ts";
import type { PatchResult, TalosGuest } from "../talos-guest.ts";

interface Target {
  readonly install?: Readonly<Record<string, unknown>>;
  readonly comment: string;
  readonly diagnostics: readonly Diagnostic[];
}

/** The only virtual disk of a VM that is not a disk of the owner's: Talos has no other that it may wipe. */
export function onlyNewDisk({ guest }: TalosGuest): string | undefined {
  const made = Object.entries(guest.vm?.disks ?? {}).filter(([, { disk }]) => disk === undefined);
  return made.length === 1 ? made[0]?.[0] : undefined;
}

function installTarget(own: TalosGuest): Target {
  const installDisk = own.talos.installDisk ?? onlyNewDisk(own);
  if (installDisk === undefined)
    return {
      comment:
        "The spec does not name the disk to install on (guest.talos.installDisk), so the one of the generated config stays: /dev/sda.",
      diagnostics: [
        finding(
          own,
          "render.needs-value",
          "warning",
          "talos.installDisk",
          "The spec does not say which disk Talos is installed on; talosctl writes /dev/sda, which the installer wipes.",
          "installDisk: NAME   # a disk of the machine, or a virtual disk such as scsi0",
        ),
      ],
    };
  if (Object.hasOwn(own.guest.vm?.disks ?? {}, installDisk)) {
    const { path, lasting } = virtualDisk(own, installDisk);
    return {
      install: { disk: path },
      comment: `The virtual disk ${installDisk} is ${path} in the guest${lasting ? ", in whatever order the kernel finds the disks" : ""}; talosctl get disks --insecure --nodes ADDRESS -o yaml shows it.`,
      diagnostics: [],
    };
  }
  const disk = own.host?.disks?.[installDisk];
  if (disk === undefined) {
    const message = `The machine of this guest has no disk ${installDisk}; talosctl writes /dev/sda.`;
    const hint = "installDisk: NAME   # a disk of the machine, or a virtual disk such as scsi0";
    return {
      comment: `The machine of this guest has no disk ${installDisk}: /dev/sda of the generated config stays.`,
      diagnostics: [finding(own, "render.needs-value", "error", "talos.installDisk", message, hint)],
    };
  }
  const { install, diagnostics } = selectDisk(own, installDisk, disk);
  return {
    ...(install === undefined ? {} : { install }),
    comment: `Installed on the disk ${installDisk} of the machine; a diskSelector has priority over the disk of the generated config.`,
    diagnostics,
  };
}

/** `10-install.yaml`: the image that installs Talos, which carries the extensions, and the disk. */
export function installPatch(own: TalosGuest, schematic: Schematic): PatchResult {
  const { install, comment, diagnostics } = installTarget(own);
  const image = installerImage(own, schematic);
  const about =
    image === undefined
      ? "The image is not here: its name needs the factory's answer, so apply.sh hands it to talosctl gen config."
      : "The image carries the extensions of schematic.yaml; they change by install and upgrade only, never by this file.";
  if (image === undefined && install === undefined) return { diagnostics };
  const value = { machine: { install: { ...install, image } } };
  return {
    patch: {
      file: "10-install.yaml",
      content: yamlDocument(
        value,
        `Machine config patch: what Talos is installed from and where. Rendered by Omni from omni.yaml (guest ${own.name}), used by apply.sh. ${about} ${comment}`,
      ),
      reason: `Asked for by guests.${own.name}.talos: installer image of its schematic, and installDisk.`,
      scope: "all",
    },
    diagnostics,
  };
}
