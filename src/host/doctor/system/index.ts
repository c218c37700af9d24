/**
 * System: which platform and kernel run, whether the clock is right, and what waits for a reboot. Never here: the boot
 * line, which is the group `boot`.
 */
import type { Check } from "../check.ts";
import { clock } from "./clock.ts";
import { kernel } from "./kernel.ts";
import { nextKernel } from "./next-kernel.ts";
import { pendingReboot } from "./pending-reboot.ts";
import { platform } from "./platform.ts";

export const SYSTEM_CHECKS: readonly Check[] = [platform, kernel, nextKernel, pendingReboot, clock];
