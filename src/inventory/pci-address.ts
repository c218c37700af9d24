/**
 * A PCI address as sysfs writes it, `0000:f1:00.0`, from how sysfs or nvidia-smi (`00000000:F1:00.0`) write it;
 * `undefined` for anything else. A domain is four digits, or more where the machine has that many.
 */
export function pciAddressOf(text: string): string | undefined {
  const match = /^(?:([0-9a-f]{1,8}):)?([0-9a-f]{2}:[01][0-9a-f]\.[0-7])$/i.exec(text.trim());
  if (match === null) return undefined;
  const domain = (match[1] ?? "").replace(/^0+/, "").padStart(4, "0");
  return `${domain}:${match[2] ?? ""}`.toLowerCase();
}

/** A PCI id as catalogs write it, `10de:2bb1`, from nvidia-smi's device and vendor in one number (`0x2BB110DE`). */
export function pciIdOf(text: string | undefined): string | undefined {
  const match = /^0x([0-9a-f]{4})([0-9a-f]{4})$/i.exec(text?.trim() ?? "");
  return match === null ? undefined : `${match[2] ?? ""}:${match[1] ?? ""}`.toLowerCase();
}
