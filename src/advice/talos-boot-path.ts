import type { Spec } from "../spec/index.ts";
import { isAtLeast } from "./version-order.ts";

type Guest = Spec["guests"][string];

/**
 * How a Talos guest boots, as far as the spec tells: UEFI means systemd-boot since 1.10 and SecureBoot always, SeaBIOS
 * means GRUB, and on the metal without a word only the machine knows. Source: Talos 1.12, bootloader.
 */
export function talosBootPath(guest: Guest): "systemd-boot" | "grub" | "unknown" {
  const { talos, vm } = guest;
  if (talos === undefined) return "unknown";
  if (talos.secureBoot === true || talos.bootloader === "sd-boot") return "systemd-boot";
  if (talos.bootloader === "grub" || vm?.firmware === "seabios") return "grub";
  if (vm === undefined) return "unknown";
  return isAtLeast(talos.version, "1.10") ? "systemd-boot" : "grub";
}
