/**
 * Disks as the doctor looks at them: the right ones, mounted where they should be, with room and in health. Never here:
 * anything that writes to a disk.
 */
import type { Check } from "../check.ts";
import { diskBlank } from "./blank.ts";
import { diskHealth } from "./health.ts";
import { diskIdentity } from "./identity.ts";
import { diskInodes } from "./inodes.ts";
import { diskMounted } from "./mounted.ts";
import { diskReadOnly } from "./read-only.ts";
import { diskRoom } from "./room.ts";
import { diskRoot } from "./root.ts";

export const DISK_CHECKS: readonly Check[] = [
  diskIdentity,
  diskMounted,
  diskBlank,
  diskRoom,
  diskRoot,
  diskReadOnly,
  diskInodes,
  diskHealth,
];
