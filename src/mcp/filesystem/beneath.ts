import { constants, type BigIntStats } from "node:fs";
import { open, opendir, readlink, type FileHandle } from "node:fs/promises";
import { codeOf, Refusal, shown } from "./refusal.ts";

/**
 * Walking down from a folder name by name, so that no link can lead elsewhere. Node has no openat(2); on Linux
 * `/proc/self/fd/N/name` is the same: the kernel goes on from the open folder N itself, whatever its path is by then. Every
 * folder is opened without following, so a link that is put in its place at any moment is an error and not a way out.
 */

/** Linux's O_PATH: a handle on the thing itself, which opens no device, waits for no pipe and needs no right to read. */
const O_PATH = 0o10000000;
const FOLDER = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** A short name as FAT and NTFS give beside the long one: `ENV~1` opens `.env`. */
const SHORT_NAME = /^[^.]{1,6}~\d{1,6}(?:\.[^.]{0,3})?$/;

/** The path by which the kernel finds `name` in an open folder. */
export const at = (folder: FileHandle, name: string): string => `/proc/self/fd/${folder.fd}/${name}`;

/** The path by which the kernel finds what is open itself. */
export const itself = (handle: FileHandle): string => `/proc/self/fd/${handle.fd}`;

/**
 * Opens a folder by its real path of the host. The kernel is asked where that is which was opened: when a link was put into any
 * part of the path, it is elsewhere, and the error is ENOTDIR as for a link in its last part.
 */
export async function openReal(path: string): Promise<FileHandle> {
  const handle = await open(path, FOLDER);
  try {
    if ((await readlink(itself(handle))) === path) return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  throw Object.assign(new Error("the folder is elsewhere"), { code: "ENOTDIR" });
}

/** A new handle on the folder `names` beneath `folder`, which stays open. Throws the system's errors; ENOTDIR for links. */
export async function descend(folder: FileHandle, names: readonly string[]): Promise<FileHandle> {
  const [first, ...rest] = names;
  let here = await (first === undefined
    ? open(itself(folder), O_PATH | constants.O_DIRECTORY)
    : step(folder, first));
  for (const name of rest) {
    try {
      const next = await step(here, name);
      await here.close();
      here = next;
    } catch (error) {
      await here.close();
      throw error;
    }
  }
  return here;
}

/** Opens the folder `name` of `folder`. */
export async function step(folder: FileHandle, name: string): Promise<FileHandle> {
  await refuseShortName(folder, name);
  return open(at(folder, name), FOLDER);
}

/** Something held by a handle that cannot come to mean another thing, and what it was when it was looked at. */
export interface Pinned extends AsyncDisposable {
  readonly handle: FileHandle;
  readonly stats: BigIntStats;
}

/** Takes hold of `name` in `folder`, whatever it is, a link itself too, without opening it. */
export async function pin(folder: FileHandle, name: string): Promise<Pinned> {
  await refuseShortName(folder, name);
  const handle = await open(at(folder, name), O_PATH | constants.O_NOFOLLOW);
  try {
    const stats = await handle.stat({ bigint: true });
    return { handle, stats, [Symbol.asyncDispose]: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The same where there may be nothing. */
export async function pinIfThere(folder: FileHandle, name: string): Promise<Pinned | undefined> {
  try {
    return await pin(folder, name);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Opens exactly what is pinned for reading. It must be a plain file: a device or pipe could act or wait when opened. */
export const openPinned = ({ handle }: Pinned): Promise<FileHandle> =>
  open(itself(handle), constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);

/** Refuses a name that a disk may take for the short form of another one, unless the folder lists it as it is. */
async function refuseShortName(folder: FileHandle, name: string): Promise<void> {
  if (!SHORT_NAME.test(name)) return;
  const entries = await opendir(itself(folder));
  for await (const entry of entries) if (entry.name === name) return;
  throw new Refusal(
    `There is no ${shown(name)}, and some disks take it for the short form of another name.`,
    "absent",
  );
}

/** What a thing is, in a word; by its own mode, so a link is a link. */
export function kindOf(stats: Kind): "file" | "folder" | "link" | "other" {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "folder";
  return stats.isSymbolicLink() ? "link" : "other";
}

interface Kind {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}
