import { setTimeout as sleep } from "node:timers/promises";
import { copyFile, lstat, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { messageOf, OmniError } from "../core/index.ts";
import type { HubDigest } from "../models/index.ts";
import { isLocked, takeLock } from "../store/index.ts";
import { syncFolder } from "./cache/durable-folder.ts";
import { downloadFile } from "./download/download-file.ts";
import type { FileDownload } from "./download/file-download.ts";
import { mapPath, openPart } from "./download/open-part.ts";
import { fileDigest } from "./file-digest.ts";

/** A file as it shall lie on this machine. */
export interface PulledFile {
  readonly size: number;
  readonly digest: HubDigest;
  /** Where it lies when it is whole, and where until then. */
  readonly target: string;
  readonly part: string;
  readonly lock: string;
  /** A blob on another disk that may be the same file. */
  readonly copy?: string;
  /** Makes the folders for it. */
  makeFolders(): Promise<void>;
  isThere(): Promise<boolean>;
  /** Gives what is whole its name. */
  settle(): Promise<void>;
}

const LOOK_AGAIN = 250;

/**
 * Brings one file to its place. One process at a time does; others wait for it and find it done. Resolves with whether it
 * was there already. Throws what `downloadFile` does, and `OmniError` `pull.no-space` or `pull.unwritable` for the disk.
 */
export async function pullFile(
  file: PulledFile,
  download: Omit<FileDownload, "part" | "size">,
  waiting: () => void,
): Promise<"there" | "fetched"> {
  await file.makeFolders();
  const unlock = await lockOf(file, download.signal, waiting);
  try {
    const there = await file.isThere();
    if (!there) await fetchFile(file, download);
    await file.settle();
    return there ? "there" : "fetched";
  } catch (thrown) {
    download.signal.throwIfAborted();
    throw diskError(thrown, file);
  } finally {
    unlock();
  }
}

/** Whether a blob is there in its full size. Throws `OmniError` `pull.unsafe-cache` for a link, which no blob is. */
export async function isBlob(path: string, size: number): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return false;
  if (found.isFile()) return found.size === size;
  throw new OmniError("pull.unsafe-cache", `${path} is a link or a folder where a file belongs.`);
}

async function lockOf({ lock }: PulledFile, signal: AbortSignal, waiting: () => void): Promise<() => void> {
  let told = false;
  for (;;) {
    signal.throwIfAborted();
    const unlock = isLocked(lock) ? undefined : takeLock(lock);
    if (unlock !== undefined) return unlock;
    if (!told) waiting();
    told = true;
    await sleep(LOOK_AGAIN, undefined, { signal });
  }
}

async function fetchFile(file: PulledFile, download: Omit<FileDownload, "part" | "size">): Promise<void> {
  const { size, digest, target } = file;
  if (file.copy !== undefined && (await copied(file, file.copy))) return;
  const part = await openPart(file.part, size, digest.hex);
  try {
    await downloadFile({ ...download, part, size }, digest);
    await part.file.sync();
  } finally {
    await part.close();
  }
  await rename(file.part, target);
  await syncFolder(dirname(target));
  await rm(mapPath(file.part), { force: true });
}

/** Takes a file from another disk, where it is whole there. */
async function copied({ size, digest, target }: PulledFile, from: string): Promise<boolean> {
  if (!(await isBlob(from, size).catch(() => false))) return false;
  await copyFile(from, target);
  if ((await fileDigest(target, size, digest.algorithm)) === digest.hex) return true;
  await rm(target);
  return false;
}

/** What the disk says, as a person needs it. */
function diskError(thrown: unknown, { target }: PulledFile): unknown {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG")
    return new OmniError("pull.no-space", `The disk of ${dirname(target)} is full: ${messageOf(thrown)}.`, {
      hint: "Free space and run the same command again: what has arrived is kept.",
      cause: thrown,
    });
  if (code === "EACCES" || code === "EROFS" || code === "EPERM" || code === "ENOTDIR")
    return new OmniError("pull.unwritable", `Cannot write ${target}: ${messageOf(thrown)}.`, {
      cause: thrown,
    });
  if (code === "ELOOP")
    return new OmniError(
      "pull.unsafe-cache",
      `There is a link where the unfinished file of ${target} belongs.`,
    );
  return thrown;
}
