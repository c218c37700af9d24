import { compareVersions } from "../../../core/version-order.ts";
import { readText } from "../../../inventory/cgroup.ts";
import { namesIn } from "../../../inventory/folder.ts";

/** Release of the running kernel, `6.17.2-1-pve`. */
export function runningKernel(root: string): string | undefined {
  const release = readText(`${root}proc/sys/kernel/osrelease`).trim();
  return release === "" ? /^Linux version (\S+)/.exec(readText(`${root}proc/version`))?.[1] : release;
}

/** Releases of the kernels in /boot, the newest first. */
export const installedKernels = (root: string): readonly string[] =>
  namesIn(`${root}boot`)
    .flatMap((name) => /^vmlinuz-(\d.*)$/.exec(name)?.[1] ?? [])
    .toSorted((one, other) => compareVersions(other, one));

/** What proxmox-boot-tool was told to boot: always, or for the next time alone. */
export function pinnedKernel(root: string): { readonly always?: string; readonly once?: string } {
  const line = (path: string): string => readText(`${root}${path}`).trim();
  const always = line("etc/kernel/proxmox-boot-pin");
  const once = line("etc/kernel/next-boot-pin");
  return { ...(always === "" ? {} : { always }), ...(once === "" ? {} : { once }) };
}
