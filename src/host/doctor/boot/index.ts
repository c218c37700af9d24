/**
 * Boot: the boot line in effect and for the next boot, what of it means something, and what the host's modules were told.
 * Never here: which kernel boots, which is the group `system`; no check of this folder offers a fix, because a wrong boot
 * line locks its owner out.
 */
import type { Check } from "../check.ts";
import { blacklist } from "./blacklist.ts";
import { configuredLine } from "./configured-line.ts";
import { initramfs } from "./initramfs.ts";
import { lineInEffect } from "./line-in-effect.ts";
import { meaning } from "./meaning.ts";
import { moduleOptions } from "./module-options.ts";

export const BOOT_CHECKS: readonly Check[] = [
  lineInEffect,
  configuredLine,
  meaning,
  moduleOptions,
  blacklist,
  initramfs,
];
