import { readdirSync, readlinkSync } from "node:fs";
import { basename } from "node:path";

/** Names in a folder of /sys, /proc or /dev; none where there is no such folder. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    return [];
  }
}

/** The last part of what a link points to: sysfs tells a device's driver or group so. */
export function linkName(path: string): string | undefined {
  try {
    return basename(readlinkSync(path));
  } catch {
    return undefined;
  }
}
