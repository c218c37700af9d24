/** Boot loader that a Talos guest starts by; `unknown` on the metal, where only the firmware knows. */
export type TalosBoot = "systemd-boot" | "grub" | "unknown";

/** What tells how a guest boots. */
interface BootFacts {
  readonly talos?:
    | {
        readonly version: string;
        readonly secureBoot?: boolean | undefined;
        readonly bootloader?: string | undefined;
      }
    | undefined;
  readonly vm?: { readonly id: number; readonly firmware?: string | undefined } | undefined;
}

/**
 * How a guest boots, as far as its description tells: SecureBoot always by systemd-boot, UEFI since Talos 1.10, SeaBIOS by
 * GRUB. Source: Talos 1.12, bootloader.
 */
export function talosBoot({ talos, vm }: BootFacts): TalosBoot {
  if (talos === undefined) return "unknown";
  if (talos.secureBoot === true || talos.bootloader === "sd-boot") return "systemd-boot";
  if (talos.bootloader === "grub" || vm?.firmware === "seabios") return "grub";
  const [major = 0, minor = 0] = talos.version.split(".").map(Number);
  if (major < 1 || (major === 1 && minor < 10)) return "grub";
  return vm === undefined ? "unknown" : "systemd-boot";
}
