import { diskCommand, said } from "./disk-command.ts";
import { parseFoundDisk } from "./found-disk.ts";
import type { FoundDisk, RunOnHost } from "./found-disk.ts";
import { LOOK_SCRIPT } from "./host-script.ts";
import type { WantedDisk } from "./wanted-disk.ts";

/** Milliseconds: a spun-down disk takes a while to answer. */
const LOOK = 60_000;

/**
 * The one disk of a host that has every identity that is wanted, within 2 % of its size. Changes nothing. Throws `OmniError`
 * `disk.refused` where none or several have it, and `disk.failed`.
 */
export const findDisk = async (run: RunOnHost, wanted: WantedDisk): Promise<FoundDisk> =>
  parseFoundDisk(said(await run(diskCommand(LOOK_SCRIPT, wanted, "never", LOOK)), wanted));
