/**
 * Binaries: which CUDA architectures a compiled engine carries, read from ELF files on disk and from the layers of
 * container images as a registry streams them. No NVIDIA tool is run and no image is unpacked. Never here: what a card
 * can run (core) and what follows for a plan.
 */
export { checkRequirements } from "./check-requirements.ts";
export type { CheckedBinary } from "./check-requirements.ts";
export type { DeviceCode } from "./device-code.ts";
export { imageLayers } from "./image-layers.ts";
export { inspectFile } from "./inspect-file.ts";
export type { BinaryReport } from "./inspect-file.ts";
export { inspectFolder } from "./inspect-folder.ts";
export { inspectImage } from "./inspect-image.ts";
export type { ImageReport } from "./inspect-image.ts";
export { scanLayer } from "./scan-layer.ts";
export { storedImage } from "./stored-image.ts";
export type { StoredImage } from "./stored-image.ts";
