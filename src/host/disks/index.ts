/**
 * Disks of a host: the one disk that the spec means, by its identity and never by its place; made once, only where it
 * carries nothing; mounted now and after every boot. The parts of the script that a pod runs (`src/render/kubernetes/storage/`)
 * do the finding, judging, making and mounting here too. Never here: partitions, arrays, and erasing anything.
 */
export { identityOf, wantedDisk } from "./wanted-disk.ts";
export type { WantedDisk } from "./wanted-disk.ts";
export { findDisk } from "./find-disk.ts";
export type { FoundDisk, RunOnHost } from "./found-disk.ts";
export { describeDisk, refusalOf } from "./disk-refusal.ts";
export { formatDisk, mountDisk } from "./prepare-disk.ts";
