/**
 * Images: built and pushed by Docker or buildah on the machine that the spec names, looked into by Omni's own reader before
 * the push, and proven by what the registry holds. Never here: the recipes themselves (render), and which service needs which.
 */
export type { ImageJob } from "./build-recipe.ts";
export { fileSystemOf, requireSpace } from "./build-space.ts";
export { makeImage, observeImage, precheckImage } from "./built-image.ts";
export { cardsOf } from "./device-code-check.ts";
export { ANY_STATUS } from "./image-builder.ts";
