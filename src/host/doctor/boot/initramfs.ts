import { formatDuration } from "../../../core/index.ts";
import type { Check, Finding, HostView } from "../check.ts";
import { hostParts, installedKernels, pinnedKernel, readModprobeFiles } from "../facts/index.ts";

const ID = "boot.initramfs";

/** Whether the initramfs knows what modprobe.d says: vfio-pci takes cards from there, before the root file system. */
export const initramfs: Check = {
  id: ID,
  title: "Initramfs",
  async look(subject): Promise<readonly Finding[]> {
    const parts = hostParts(subject);
    const { view } = subject;
    const files = readModprobeFiles(view.root).files.filter((path) => path.startsWith("/etc/"));
    const pin = pinnedKernel(view.root);
    const kernel = pin.once ?? pin.always ?? installedKernels(view.root)[0];
    const asks = parts?.bind !== undefined || Object.keys(parts?.host.boot?.modules ?? {}).length > 0;
    if (!asks || files.length === 0 || kernel === undefined) return [];
    const image = `/boot/initrd.img-${kernel}`;
    const times = await modified(view, [image, ...files]);
    const made = times.get(image);
    if (made === undefined)
      return [{ check: ID, state: "unknown", seen: `stat does not tell when ${image} was made` }];
    const newer = files.filter((path) => (times.get(path) ?? 0) > made);
    const [first] = newer;
    if (first === undefined)
      return [{ check: ID, state: "ok", seen: `${image} is newer than all of /etc/modprobe.d` }];
    const late = formatDuration(((times.get(first) ?? 0) - made) * 1000);
    return [
      {
        check: ID,
        state: "warning",
        seen: `${image} is ${late} older than ${newer.join(", ")}`,
        wanted: "an initramfs made after the last change of modprobe.d",
        why: "Modules that are loaded from the initramfs get the options of the day it was made.",
        remedy: "update-initramfs -u -k all   # then reboot",
      },
    ];
  },
};

/** Seconds since the epoch of each path's last change. */
async function modified(view: HostView, paths: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const said = await view.said(["stat", "-L", "-c", "%Y %n", "--", ...paths]);
  if (!said.ended) return new Map();
  return new Map(
    said.stdout.split("\n").flatMap((line) => {
      const match = /^(\d+) (.*)$/.exec(line);
      return match === null ? [] : [[match[2] ?? "", Number(match[1])] as const];
    }),
  );
}
