import { readText } from "../../../inventory/cgroup.ts";
import type { HostView } from "../check.ts";

/** The kernel module of NVIDIA's driver as it runs now. */
export interface LoadedDriver {
  readonly version: string;
  readonly flavour: "open" | "proprietary";
}

/** Source: the first line of /proc/driver/nvidia/version, `NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05`. */
export function loadedDriver({ root, machine }: HostView): LoadedDriver | undefined {
  const line = /^NVRM version:.*$/m.exec(readText(`${root}proc/driver/nvidia/version`))?.[0];
  const version = line === undefined ? undefined : /\b(\d{3,}\.\d+(?:\.\d+)?)\b/.exec(line)?.[1];
  if (line !== undefined && version !== undefined)
    return { version, flavour: line.includes("Open Kernel Module") ? "open" : "proprietary" };
  const seen = machine.driver;
  return seen?.flavour === undefined ? undefined : { version: seen.version, flavour: seen.flavour };
}

/** Names of the modules that the kernel has loaded. */
export const loadedModules = ({ root }: HostView): ReadonlySet<string> =>
  new Set(
    readText(`${root}proc/modules`)
      .split("\n")
      .map((line) => line.split(" ")[0] ?? ""),
  );

/** The leading numbers of a driver's version: `580.95.05` is of branch 580. */
export const branchOf = (version: string): number => Number(version.split(".")[0]);
