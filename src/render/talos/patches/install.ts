import type { Diagnostic } from "../../../core/index.ts";
import { yamlDocument } from "../../documents/yaml.ts";
import { selectDisk } from "../disk-selector.ts";
import { installerImage } from "../images.ts";
import type { Schematic } from "../schematic.ts";
import { finding } from "../talos-guest.ts";
import type { PatchResult, TalosGuest } from "../talos-guest.ts";

interface Target {
  readonly install?: Readonly<Record<string, unknown>>;
  readonly comment: string;
  readonly diagnostics: readonly Diagnostic[];
}

const position = (name: string): number => Number(/\d+$/.exec(name)?.[0] ?? 0);

/** A virtual disk by the name that the kernel gives it: the first SCSI or SATA disk is sda, the first virtio one vda. */
function virtualDisk(own: TalosGuest, bus: string): string {
  const family = bus.startsWith("virtio") ? "virtio" : "scsi";
  const same = Object.keys(own.guest.vm?.disks ?? {})
    .filter((name) => name.startsWith("virtio") === (family === "virtio"))
    .toSorted((a, b) => position(a) - position(b));
  const letter = String.fromCodePoint("a".charCodeAt(0) + Math.min(Math.max(same.indexOf(bus), 0), 25));
  return `/dev/${family === "virtio" ? "vd" : "sd"}${letter}`;
}

function installTarget(own: TalosGuest): Target {
  const { installDisk } = own.talos;
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
    const disk = virtualDisk(own, installDisk);
    return {
      install: { disk },
      comment: `The virtual disk ${installDisk} is ${disk} in the guest.`,
      diagnostics: [],
    };
  }
  const disk = own.host?.disks?.[installDisk];
  if (disk === undefined)
    return { comment: `The machine of this guest has no disk ${installDisk}.`, diagnostics: [] };
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
