import { compareVersions, isNewerThanBound, releaseLine } from "../../../core/version-order.ts";
import type { KernelChoice } from "../../../render/proxmox/kernel-choice.ts";

/** Whether a kernel is the pinned one, or begins as the pin does: 6.8.12-13-pve fits 6.8.12 and 6.8. */
const fitsPin = (release: string, pin: string): boolean =>
  release === pin || release.startsWith(`${pin}.`) || release.startsWith(`${pin}-`);

/** What of the wish a kernel does not fulfil, as a person would write it; `undefined` when it fits. */
export function kernelWish(
  release: string,
  { pin, atMost, package: name }: KernelChoice,
): string | undefined {
  if (pin !== undefined) return fitsPin(release, pin) ? undefined : pin;
  if (atMost !== undefined) return isNewerThanBound(release, atMost) ? `${atMost} at most` : undefined;
  const line = name === undefined ? undefined : releaseLine(name);
  return line === undefined || releaseLine(release) === line
    ? undefined
    : `${line}, which ${name ?? ""} brings`;
}

/** Oldest kernel that each release of Proxmox VE expects. */
const EXPECTED = [{ release: 9, kernel: "6.14" }] as const;

/** The kernel line that this release of Proxmox VE expects at least, where the running one is older. */
export function expectedLine(proxmox: string, release: string): string | undefined {
  const expected = EXPECTED.find((each) => Number.parseInt(proxmox, 10) >= each.release)?.kernel;
  return expected !== undefined && compareVersions(release, expected) < 0 ? expected : undefined;
}
