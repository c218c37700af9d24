/**
 * Models: what a model is, read from its own file and never guessed from its name. Opens model files for reading;
 * never loads weights, never starts an engine.
 */
export * from "./byte-source.ts";
export * from "./declared-dimensions.ts";
export * from "./described-shape.ts";
export * from "./gguf-header.ts";
export * from "./gguf/gguf-shape.ts";
export * from "./gguf/read-gguf-shape.ts";
export * from "./hub.ts";
export { huggingFaceHome, listHub, resolveUrl } from "./hub-listing.ts";
export type { HubDigest, HubFile, HubListing } from "./hub-listing.ts";
export * from "./model-folder.ts";
export * from "./model-outline.ts";
export * from "./model-shape.ts";
export { fitsGlob, pickGguf } from "./pick-gguf.ts";
export type { GgufChoice } from "./pick-gguf.ts";
export * from "./read-model.ts";
