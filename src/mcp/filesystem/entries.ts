import type { Dirent } from "node:fs";
import { lstat, opendir, type FileHandle } from "node:fs/promises";
import { at, itself, kindOf } from "./beneath.ts";
import { nameFault } from "./client-path.ts";
import { codeOf } from "./refusal.ts";
import type { Ground, Place } from "./ground.ts";

export interface Entry {
  readonly name: string;
  readonly kind: "file" | "folder" | "link" | "other";
}

export interface Entries {
  /** In order of the names' code units, so that pages stay in place. */
  readonly entries: readonly Entry[];
  /** Things whose names no path can hold, so that a client could not name them. */
  readonly unnameable: number;
  /** The folder has more than were looked at. */
  readonly cut: boolean;
}

/** Names of one folder that are looked at; about a quarter of a second and 5 MB. */
const MOST_NAMES = 10_000;

/** What clients may see of an open folder; `place` is where it is. Throws the system's errors, and what aborts `signal`. */
export async function entriesOf(
  ground: Pick<Ground, "deny">,
  folder: FileHandle,
  place: Pick<Place, "root" | "names">,
  signal: AbortSignal,
): Promise<Entries> {
  const entries: Entry[] = [];
  let unnameable = 0;
  let seen = 0;
  let cut = false;
  for await (const entry of await opendir(itself(folder), { bufferSize: 512 })) {
    signal.throwIfAborted();
    if (++seen > MOST_NAMES) {
      cut = true;
      break;
    }
    if (ground.deny.denies(place.root, [...place.names, entry.name], place.names.length)) continue;
    if (nameFault(entry.name) !== undefined) unnameable += 1;
    else entries.push({ name: entry.name, kind: await kindIn(folder, entry) });
  }
  return { entries: entries.toSorted(byName), unnameable, cut };
}

const byName = (a: Entry, b: Entry): number => (a.name < b.name ? -1 : Number(a.name > b.name));

/** Some disks do not say in a folder what its entries are. */
async function kindIn(folder: FileHandle, entry: Dirent): Promise<Entry["kind"]> {
  if (entry.isFile() || entry.isDirectory() || entry.isSymbolicLink()) return kindOf(entry);
  const stats = await statIn(folder, entry.name);
  return stats === undefined ? "other" : kindOf(stats);
}

/** Size and times of something in an open folder, of a link itself; `undefined` when it is gone. */
export async function statIn(folder: FileHandle, name: string) {
  try {
    return await lstat(at(folder, name));
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return undefined;
  }
}

/** What lines about a folder end with, when not everything could be shown. */
export function omissions({ unnameable, cut }: Pick<Entries, "unnameable" | "cut">): string[] {
  return [
    ...(unnameable > 0 ? [`(${unnameable} more have names that no path here can hold)`] : []),
    ...(cut ? [`(the folder has more than ${MOST_NAMES} entries; the others were not looked at)`] : []),
  ];
}
