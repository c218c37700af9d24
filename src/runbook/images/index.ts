/**
 * Images: built and pushed by Docker or buildah on the machine that the spec names, looked into by Omni's own reader before
 * the push, and proven by what the registry holds. Never here: the recipes themselves (render), and which service needs which.
 */
export { fileSystemOf, requireSpace } from "./build-space.ts";
export { makeImage, observeImage, precheckImage } from "./built-image.ts";
export { cardsOf, checkPulledCode } from "./device-code-check.ts";
export { exportedFiles } from "./exported-files.ts";
export { ANY_STATUS, localImage, storageRoot } from "./image-builder.ts";
export type { BuilderPlace } from "./image-builder.ts";
export { isSameImage } from "./registry-proof.ts";
