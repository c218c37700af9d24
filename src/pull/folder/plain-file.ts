import { constants } from "node:fs";
import { copyFile, link, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { syncFolder } from "../cache/durable-folder.ts";

/** Whether files of one folder can be cloned or linked into the other, also where they are not there yet. */
export const onOneFileSystem = async (one: string, other: string): Promise<boolean> =>
  (await deviceOf(one)) === (await deviceOf(other));

async function deviceOf(folder: string): Promise<number> {
  const found = await stat(folder).catch(() => undefined);
  return found?.dev ?? deviceOf(dirname(folder));
}

/**
 * Gives a plain file its name: the blob itself where it is nobody else's, a clone that shares its blocks where the file
 * system has such, and a hard link otherwise.
 */
export async function plainFile(blob: string, path: string, move: boolean): Promise<void> {
  const aside = `${path}.${process.pid}.omni-link`;
  if (move) await rename(blob, path);
  else {
    await rm(aside, { force: true });
    await copyFile(blob, aside, constants.COPYFILE_FICLONE_FORCE).catch(async () => {
      await rm(aside, { force: true });
      await link(blob, aside);
    });
    await rename(aside, path);
    // A rename between two names of one file leaves both.
    await rm(aside, { force: true });
  }
  await syncFolder(dirname(path));
}
