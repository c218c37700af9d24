import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isLocked } from "../../store/index.ts";
import { hubCache, PART_ENDING, blobLock } from "./layout.ts";
import { scanCache } from "./scan-cache.ts";
import type { CachedPart, CachedRepository, CachedSnapshot } from "./scan-cache.ts";

/** Something of the cache that nothing leads to any more. */
export interface Garbage {
  readonly repo: string;
  readonly kind: "superseded snapshot" | "blob without a name" | "unfinished download";
  readonly path: string;
  /** Bytes that its removal frees. */
  readonly bytes: number;
  readonly why: string;
}

/** Milliseconds after which nobody comes back to a download. */
const STALE = 7 * 24 * 3_600_000;

/**
 * What can go: blobs that no snapshot names, downloads that nobody has touched for a week, and snapshots that their branch
 * has left behind. A repository that was only ever fetched by its commit keeps its snapshots: nothing newer took their place.
 */
export async function findGarbage(now: number, cache = hubCache()): Promise<readonly Garbage[]> {
  return (await scanCache(cache)).flatMap((repository) => garbageOf(repository, now, cache));
}

function garbageOf(repository: CachedRepository, now: number, cache: string): readonly Garbage[] {
  const { repo, folder, snapshots, blobs, parts } = repository;
  const superseded = snapshots.some(({ references }) => references.length > 0)
    ? snapshots.filter(({ references }) => references.length === 0)
    : [];
  const kept = namedBy(snapshots.filter((snapshot) => !superseded.includes(snapshot)));
  const left = namedBy(superseded);
  const at = (name: string): string => join(folder, "blobs", name);
  // A blob that is whole and not yet linked belongs to a pull that is at work.
  const busy = (name: string): boolean => isLocked(blobLock(cache, repo, name));
  return [
    ...superseded.map(({ commit }): Garbage => ({
      repo,
      kind: "superseded snapshot",
      path: join(folder, "snapshots", commit),
      bytes: 0,
      why: "no branch or tag means this commit any more",
    })),
    ...blobs
      .filter(({ name }) => !kept.has(name) && !busy(name))
      .map(({ name, size }): Garbage => ({
        repo,
        kind: "blob without a name",
        path: at(name),
        bytes: size,
        why: left.has(name) ? "only superseded snapshots name it" : "no snapshot names it",
      })),
    ...parts
      .filter((part) => part.modified < now - STALE && !busy(ownerOf(part)))
      .map(({ name, bytes, own }): Garbage => ({
        repo,
        kind: "unfinished download",
        path: at(name),
        bytes,
        why: `${own ? "" : "of another tool, "}untouched for more than a week`,
      })),
  ];
}

const namedBy = (snapshots: readonly CachedSnapshot[]): ReadonlySet<string> =>
  new Set(snapshots.flatMap(({ files }) => files.map(({ blob }) => blob)));

const ownerOf = ({ name }: CachedPart): string =>
  name.slice(0, name.includes(PART_ENDING) ? name.indexOf(PART_ENDING) : name.indexOf("."));

/** Removes what was found, with the links of the snapshots before their blobs. */
export async function removeGarbage(found: readonly Garbage[]): Promise<void> {
  for (const { path } of found) await rm(path, { recursive: true, force: true });
}

/** Ids of blobs of a repository that some process is fetching. */
export async function lockedBlobs(repo: string, cache = hubCache()): Promise<readonly string[]> {
  const folder = join(blobLock(cache, repo, "x"), "..");
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => name.endsWith(".omni-lock") && isLocked(join(folder, name)));
}
