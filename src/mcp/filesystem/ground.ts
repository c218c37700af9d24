import type { FileHandle } from "node:fs/promises";
import { descend, pin, type Pinned } from "./beneath.ts";
import { clientFolder, clientPath, pathText } from "./client-path.ts";
import type { Deny } from "./deny.ts";
import { absent, Refusal, refusalOf, shown } from "./refusal.ts";
import type { Roots } from "./roots.ts";
import type { Versions } from "./versions.ts";

/** What every tool stands on. */
export interface Ground {
  readonly roots: Roots;
  readonly deny: Deny;
  /** Bytes. */
  readonly maxRead: number;
  readonly maxWrite: number;
  readonly versions: Versions;
  /** One change after the other, so that what a change looked at is still so when it is made. */
  readonly serial: <T>(work: () => Promise<T>) => Promise<T>;
}

/** A place that clients may know of. Nothing is said about what is there. */
export interface Place {
  readonly root: string;
  readonly names: readonly string[];
  /** As clients read it. */
  readonly text: string;
}

/** Takes a client's path; what is closed to clients is absent. Throws `Refusal`. */
export function placeOf(ground: Ground, text: string, what: "file" | "folder"): Place {
  const { root, names } = what === "folder" ? clientFolder(text) : clientPath(text);
  ground.roots.check(root);
  if (ground.deny.denies(root, names)) throw absent(text);
  return { root, names, text: pathText(root, names) };
}

/** The same of a place that is to be changed. Throws `Refusal` when its root is read-only or it is the root itself. */
export function writablePlace(ground: Ground, text: string, what: "file" | "folder"): Place {
  const { root, names } = what === "folder" ? clientFolder(text) : clientPath(text);
  ground.roots.check(root);
  if (!ground.roots.writable(root)) throw new Refusal(`The root ${root} is read-only.`);
  if (ground.deny.denies(root, names))
    throw new Refusal(
      `${shown(text)} has a name that this server never touches (secrets, or closed by its owner). Choose another name.`,
    );
  if (names.length === 0) throw new Refusal(`${shown(text)} is a root itself; name something in it.`);
  return { root, names, text: pathText(root, names) };
}

/** A handle on the folder of that place. Throws `Refusal`. */
export async function openFolder(ground: Ground, place: Place): Promise<FileHandle> {
  const root = await ground.roots.open(place.root);
  if (place.names.length === 0) return root;
  try {
    return await descend(root, place.names);
  } catch (error) {
    throw refusalOf(error, place.text);
  } finally {
    await root.close();
  }
}

/** The folder that holds the place, and the place's name in it. Throws `Refusal`, also for a root itself. */
export async function openParent(
  ground: Ground,
  place: Place,
): Promise<{ readonly folder: FileHandle; readonly name: string }> {
  const name = place.names.at(-1);
  if (name === undefined) throw new Refusal(`${shown(place.text)} is a folder.`);
  return { folder: await openFolder(ground, { ...place, names: place.names.slice(0, -1) }), name };
}

/** Takes hold of a plain file. Throws `Refusal` for links, folders, devices, pipes and sockets. */
export async function pinFile(folder: FileHandle, name: string, text: string): Promise<Pinned> {
  const pinned = await pin(folder, name).catch((error: unknown) => {
    throw refusalOf(error, text);
  });
  if (pinned.stats.isFile()) return pinned;
  await pinned.handle.close();
  throw notAFile(pinned, text);
}

export function notAFile({ stats }: Pinned, text: string): Refusal {
  if (stats.isSymbolicLink())
    return new Refusal(`${shown(text)} is a link. Links are not followed, wherever they lead.`);
  return stats.isDirectory()
    ? new Refusal(`${shown(text)} is a folder.`)
    : new Refusal(`${shown(text)} is a device, pipe or socket, and no file.`);
}

/** Holds a plain file by its path while `work` runs. Throws `Refusal`. */
export async function withFile<T>(
  ground: Ground,
  place: Place,
  work: (file: Pinned) => Promise<T>,
): Promise<T> {
  const { folder, name } = await openParent(ground, place);
  let pinned;
  try {
    pinned = await pinFile(folder, name, place.text);
  } finally {
    await folder.close();
  }
  try {
    return await work(pinned);
  } catch (error) {
    throw refusalOf(error, place.text);
  } finally {
    await pinned.handle.close();
  }
}
