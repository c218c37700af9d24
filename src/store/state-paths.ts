import { join } from "node:path";

/** The files of a state folder that belong to the store. */
export const databasePath = (stateFolder: string): string => join(stateFolder, "omni.db");
export const lockPath = (stateFolder: string): string => join(stateFolder, "node.lock");
export const recordPath = (stateFolder: string): string => join(stateFolder, "node.json");
