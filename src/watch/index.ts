/**
 * Watch: cards and machine as they are now, looked at again and again: by NVML in a program of its own, by nvidia-smi
 * where that is not to be had, with the kernel's log for Xids, /proc for memory and pressure, statfs for disks. It tells
 * faults as they happen and what the owner shall do about them. Never here: what becomes of a service.
 */
export { createWatch } from "./create-watch.ts";
export type { NodeWatch, WatchOptions } from "./create-watch.ts";
export type { CardFault } from "./reading.ts";
