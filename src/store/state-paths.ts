import { join } from "node:path";

/** The files of a state folder that belong to the store. */
export const databasePath = (stateFolder: string): string => join(stateFolder, "omni.db");
export const lockPath = (stateFolder: string): string => join(stateFolder, "node.lock");
export const recordPath = (stateFolder: string): string => join(stateFolder, "node.json");
/** Held while a spec of this name is being applied. */
export const applyLockPath = (stateFolder: string, name: string): string =>
  join(stateFolder, `apply-${encodeURIComponent(name)}.lock`);
/** Present since the first key was created: a database that was lost must not open a node that had keys. */
export const keysMarkPath = (stateFolder: string): string => join(stateFolder, "keys-in-use");
/** Present since the first definition of a tool was pinned: a database that was lost must not accept whatever comes next. */
export const pinsMarkPath = (stateFolder: string): string => join(stateFolder, "mcp-pins-in-use");
