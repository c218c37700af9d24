import { constants } from "node:fs";
import { open, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { openBlockMap } from "./block-map.ts";
import type { BlockMap } from "./block-map.ts";

/** A file that is not whole yet: its bytes, each at its own offset, and the map of what is there. */
export interface Part {
  readonly path: string;
  readonly size: number;
  readonly file: FileHandle;
  readonly map: BlockMap;
  close(): Promise<void>;
  /** Nothing of it is any good. */
  remove(): Promise<void>;
}

/** The map that belongs to an unfinished file. */
export const mapPath = (part: string): string => `${part}.map`;

/**
 * Opens an unfinished file and what is known of it; makes both where there is none. Links are not followed, so that nobody
 * who may write into the folder can have another file overwritten.
 */
export async function openPart(path: string, size: number, digest: string): Promise<Part> {
  const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o644);
  try {
    const { size: now } = await file.stat();
    // A map without its file, or with a shorter one, tells of bytes that are gone.
    if (now !== size) {
      await rm(mapPath(path), { force: true });
      await file.truncate(size);
    }
    const map = await openBlockMap(mapPath(path), size, digest);
    const close = async (): Promise<void> => {
      await Promise.all([file.close(), map.close()]);
    };
    return {
      path,
      size,
      file,
      map,
      close,
      remove: async () => {
        await rm(mapPath(path), { force: true });
        await rm(path, { force: true });
      },
    };
  } catch (thrown) {
    await file.close();
    throw thrown;
  }
}
