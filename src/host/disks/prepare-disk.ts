import { diskCommand, said } from "./disk-command.ts";
import type { FoundDisk, RunOnHost } from "./found-disk.ts";
import { FORMAT_SCRIPT, MOUNT_SCRIPT } from "./host-script.ts";
import type { WantedDisk } from "./wanted-disk.ts";

/** Milliseconds: mkfs discards a whole SSD first, and ext4 writes its tables. */
const MAKE = 30 * 60_000;
/** Milliseconds: a journal that has to be replayed. */
const MOUNT = 10 * 60_000;

/**
 * Makes the file system on the disk that was looked at: the same serial and all else that is wanted has to fit, and it has
 * to be blank, in the very run that makes it. Throws `OmniError` `disk.refused` and `disk.failed`.
 */
export async function formatDisk(run: RunOnHost, wanted: WantedDisk, seen: FoundDisk): Promise<void> {
  const exact = { ...wanted, ...(seen.serial === "" ? {} : { serial: seen.serial }) };
  said(await run(diskCommand(FORMAT_SCRIPT, exact, wanted.format, MAKE)), wanted);
}

/** Mounts the disk with what it carries, and writes it into fstab. Never makes a file system. Throws as `formatDisk`. */
export async function mountDisk(run: RunOnHost, wanted: WantedDisk): Promise<void> {
  said(await run(diskCommand(MOUNT_SCRIPT, wanted, "never", MOUNT)), wanted);
}
