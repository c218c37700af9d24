/**
 * Pulling: models from a hub onto this machine, into the cache of the Hugging Face tools or a folder of plain files. Opens
 * connections to hubs and writes below these two places. Never reads a spec, never prints, never starts an engine.
 */
export { chooseFiles } from "./choose-files.ts";
export type { ChosenFiles, FileChoice, LeftOut } from "./choose-files.ts";
export { pullModel } from "./pull-model.ts";
export type { Pulled, PullOptions } from "./pull-model.ts";
export type { PullEvent, PullProgress } from "./pull-events.ts";
