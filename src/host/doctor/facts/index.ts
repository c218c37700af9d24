/**
 * Facts: what the text of /proc, /sys, /etc and of a host's programs says about it, each reader by itself. Nothing here
 * judges: what a fact means beside the spec is a check's to say. Never here: a change of the host.
 */
export { configuredBootLines } from "./boot-loader.ts";
export type { BootLine } from "./boot-loader.ts";
export { cardsOf } from "./cards.ts";
export type { CardAtHost } from "./cards.ts";
export { askCardHealth } from "./card-health.ts";
export type { CardHealth } from "./card-health.ts";
export { hostParts } from "./host-parts.ts";
export { argumentName, missingGroups, parseArguments } from "./kernel-arguments.ts";
export { readKernelLog } from "./kernel-log.ts";
export type { KernelLogLine } from "./kernel-log.ts";
export { installedKernels, pinnedKernel, runningKernel } from "./kernels.ts";
export { canonicalModule, readModprobeFiles } from "./modprobe-files.ts";
export { memoryNodes } from "./memory-nodes.ts";
export type { MemoryNode } from "./memory-nodes.ts";
export { readPciFunction } from "./pci-function.ts";
export type { PciFunction } from "./pci-function.ts";
export { platformOf } from "./platform.ts";
export { readRomImages } from "./rom-images.ts";
export { isRunning } from "./virtual-machines.ts";
