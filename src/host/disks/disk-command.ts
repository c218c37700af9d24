import { OmniError } from "../../core/index.ts";
import type { CommandResult, HostCommand } from "../transport/index.ts";
import type { WantedDisk } from "./wanted-disk.ts";

/** A script about one disk, run by `sh -s`: nothing is left on the host. Milliseconds. */
export const diskCommand = (
  script: string,
  wanted: WantedDisk,
  format: WantedDisk["format"],
  timeout: number,
): HostCommand => ({
  argv: ["sh", "-s"],
  input: script,
  environment: {
    DISK_SERIAL: wanted.serial ?? "",
    DISK_WWN: wanted.wwn ?? "",
    DISK_BY_ID: wanted.byId ?? "",
    DISK_DEVICE: wanted.device ?? "",
    DISK_SIZE: wanted.size === undefined ? "" : `${wanted.size}`,
    DISK_FORMAT: format,
    DISK_FILESYSTEM: wanted.filesystem,
    DISK_LABEL: wanted.label,
    DISK_MOUNT: wanted.mount,
  },
  timeout,
});

/** What the script printed. Throws `OmniError` `disk.refused` for its exit status 3 and `disk.failed` for any other but 0. */
export function said(result: CommandResult, wanted: WantedDisk): string {
  if (result.ended && result.code === 0) return result.stdout;
  const words = result.stderr.trim();
  if (result.ended && result.code === 3) {
    throw new OmniError(
      "disk.refused",
      `Disk ${wanted.name}: ${words.replaceAll(/^omni-disk: refused: /gm, "")}`,
    );
  }
  throw new OmniError(
    "disk.failed",
    `Disk ${wanted.name}: ${result.ended ? `exit status ${result.code}: ${words}` : result.message}`,
  );
}
