import { GIB, MIB } from "../../core/index.ts";

/** Memory as Proxmox counts it, whole MiB; what is left over of a MiB is dropped, and said by `vmFaults`. */
export const mebibytes = (bytes: number): number => Math.floor(bytes / MIB);

/** Size of a new virtual disk in whole GiB, never below what was asked for. */
export const gibibytes = (bytes: number): number => Math.max(1, Math.ceil(bytes / GIB));
