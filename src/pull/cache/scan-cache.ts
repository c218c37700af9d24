import { lstat, readdir, readFile, readlink, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { hubCache, PART_ENDING, repoOf } from "./layout.ts";

export interface CachedFile {
  readonly path: string;
  /** Name of its blob, which is its checksum. */
  readonly blob: string;
  /** Bytes; absent where the blob is gone. */
  readonly size?: number;
}

export interface CachedSnapshot {
  readonly commit: string;
  /** Branches and tags that meant it when they were last asked for. */
  readonly references: readonly string[];
  readonly files: readonly CachedFile[];
}

export interface CachedBlob {
  readonly name: string;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly used: number;
}

/** A download that was not finished. */
export interface CachedPart {
  readonly name: string;
  /** Bytes that it takes on disk. */
  readonly bytes: number;
  readonly modified: number;
  /** It is of Omni, and not of another tool. */
  readonly own: boolean;
}

export interface CachedRepository {
  readonly repo: string;
  readonly folder: string;
  readonly snapshots: readonly CachedSnapshot[];
  readonly blobs: readonly CachedBlob[];
  readonly parts: readonly CachedPart[];
}

/** What the cache holds, whoever fetched it. A folder that cannot be read holds nothing. */
export async function scanCache(cache = hubCache()): Promise<readonly CachedRepository[]> {
  const names = (await readdir(cache).catch((): string[] => [])).toSorted();
  const found = names.flatMap((name) => {
    const repo = repoOf(name);
    return repo === undefined ? [] : [{ repo, folder: join(cache, name) }];
  });
  return Promise.all(
    found.map(async ({ repo, folder }) => ({
      repo,
      folder,
      snapshots: await snapshotsOf(folder),
      ...(await blobsOf(join(folder, "blobs"))),
    })),
  );
}

async function snapshotsOf(folder: string): Promise<readonly CachedSnapshot[]> {
  const references = await referencesOf(join(folder, "refs"));
  const commits = (await readdir(join(folder, "snapshots")).catch((): string[] => [])).toSorted();
  return Promise.all(
    commits.map(async (commit) => ({
      commit,
      references: references.filter((reference) => reference.commit === commit).map(({ name }) => name),
      files: await filesOf(join(folder, "snapshots", commit)),
    })),
  );
}

async function referencesOf(
  folder: string,
): Promise<readonly { readonly name: string; readonly commit: string }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const path = join(entry.parentPath, entry.name);
        return { name: relative(folder, path), commit: (await readFile(path, "utf8")).trim() };
      }),
  );
}

async function filesOf(snapshot: string): Promise<readonly CachedFile[]> {
  const entries = await readdir(snapshot, { recursive: true, withFileTypes: true }).catch(() => []);
  const links = entries.filter((entry) => entry.isSymbolicLink());
  return Promise.all(
    links.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      const blob = (await readlink(path)).replace(/^.*\//s, "");
      const found = await stat(path).catch(() => undefined);
      return { path: relative(snapshot, path), blob, ...(found === undefined ? {} : { size: found.size }) };
    }),
  );
}

async function blobsOf(folder: string): Promise<Pick<CachedRepository, "blobs" | "parts">> {
  const blobs: CachedBlob[] = [];
  const parts: CachedPart[] = [];
  for (const name of (await readdir(folder).catch((): string[] => [])).toSorted()) {
    const found = await lstat(join(folder, name)).catch(() => undefined);
    if (found?.isFile() !== true) continue;
    const own = name.endsWith(PART_ENDING) || name.endsWith(`${PART_ENDING}.map`);
    if (own || name.endsWith(".incomplete"))
      parts.push({ name, bytes: found.blocks * 512, modified: found.mtimeMs, own });
    else blobs.push({ name, size: found.size, used: Math.max(found.atimeMs, found.mtimeMs) });
  }
  return { blobs, parts };
}
