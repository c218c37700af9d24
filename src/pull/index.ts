/**
 * Pulling: models from a hub onto this machine, into the cache of the Hugging Face tools or a folder of plain files. Opens
 * connections to hubs and writes below these two places. Never reads a spec, never prints, never starts an engine.
 */
export { findGarbage, lockedBlobs, removeGarbage } from "./cache/collect-garbage.ts";
export { hubCache } from "./cache/layout.ts";
export { scanCache } from "./cache/scan-cache.ts";
export type { CachedRepository, CachedSnapshot } from "./cache/scan-cache.ts";
export { usersOf } from "./cache/users-of.ts";
export type { FileChoice } from "./choose-files.ts";
export { fileIs, readManifests } from "./folder/manifest.ts";
export { pullModel } from "./pull-model.ts";
export type { Pulled, PullOptions } from "./pull-model.ts";
export type { PullEvent, PullProgress } from "./pull-events.ts";
export { demoteBlob, verifyFolder, verifyRepository } from "./verify-model.ts";
export type { VerifiedFile } from "./verify-model.ts";
