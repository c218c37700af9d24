import { isLocked, takeLock } from "./kernel-lock.ts";
import { lockPath } from "./state-paths.ts";

/**
 * Takes the state folder for this process until the returned function is called or the process ends, however it ends.
 * Returns `undefined` when another process holds it.
 */
export const lockFolder = (stateFolder: string): (() => void) | undefined => takeLock(lockPath(stateFolder));

/** Whether a living process holds the state folder. */
export const isFolderLocked = (stateFolder: string): boolean => isLocked(lockPath(stateFolder));
