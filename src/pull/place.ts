import { dirname, join, resolve } from "node:path";
import type { HubFile, HubListing } from "../models/index.ts";
import { blobLock, blobsFolder, hubCache, partPath, repoFolder, snapshotFolder } from "./cache/layout.ts";
import { linkSnapshot, writeReference } from "./cache/link-snapshot.ts";
import { ownFolder } from "./cache/own-folder.ts";
import { digestOf } from "./digest-of.ts";
import { fileIs, readManifests, writeManifest } from "./folder/manifest.ts";
import { onOneFileSystem, plainFile } from "./folder/plain-file.ts";
import { isBlob } from "./pull-file.ts";
import type { PulledFile } from "./pull-file.ts";

/** Where the files of a repository go. */
export interface Place {
  /** Cache or folder that takes the bytes. */
  readonly root: string;
  /** Folder in which the files are found by their names in the end. */
  readonly found: string;
  /** How a file gets there. Changes nothing by itself. */
  prepare(file: HubFile): Promise<PulledFile>;
  /** All of them are there. */
  complete(files: readonly HubFile[]): Promise<void>;
}

/** The cache of the Hugging Face tools. */
export function cachePlace(listing: HubListing, cache = hubCache()): Place {
  const repo = repoFolder(cache, listing.repo);
  const folder = blobsFolder(repo);
  return {
    root: cache,
    found: snapshotFolder(repo, listing.commit),
    prepare: async (file) => {
      const digest = digestOf(file, listing);
      const lock = blobLock(cache, listing.repo, digest.hex);
      const target = join(folder, digest.hex);
      return {
        size: file.size,
        digest,
        target,
        part: partPath(folder, digest.hex),
        lock,
        makeFolders: async () => {
          await ownFolder(cache, folder);
          await ownFolder(cache, dirname(lock));
        },
        // Whoever fetched it: the name is the checksum, and `verify` looks at the bytes.
        isThere: () => isBlob(target, file.size),
        settle: () =>
          linkSnapshot(cache, repo, { commit: listing.commit, path: file.path, digest: digest.hex }),
      };
    },
    complete: () => writeReference(cache, repo, listing.revision, listing.commit),
  };
}

/** Where a folder of plain files keeps what is not whole yet. */
const WORK_FOLDER = ".omni-pull";

/**
 * A folder of plain files, as engines mount it. On the file system of the cache the files are fetched into the cache and
 * cloned or linked from there; elsewhere they are fetched into the folder itself, so that no byte is on two disks.
 */
export async function folderPlace(listing: HubListing, folder: string, cache = hubCache()): Promise<Place> {
  const root = resolve(folder);
  const shared = await onOneFileSystem(cache, root);
  const inner = shared ? cachePlace(listing, cache) : directPlace(listing, root, cache);
  const manifest = (await readManifests(root)).find(({ repository }) => repository === listing.repo);
  return {
    root: inner.root,
    found: root,
    prepare: async (file) => {
      const path = join(root, file.path);
      const pulled = await inner.prepare(file);
      const plain = { path: file.path, size: file.size, digest: pulled.digest };
      return {
        ...pulled,
        makeFolders: async () => {
          await pulled.makeFolders();
          await ownFolder(root, dirname(path));
        },
        isThere: async () => (await fileIs(root, plain, manifest)) || (shared && (await pulled.isThere())),
        settle: async () => {
          if (!(await isBlob(pulled.target, file.size))) return;
          await pulled.settle();
          if (!shared || !(await fileIs(root, plain, manifest)))
            await plainFile(pulled.target, path, !shared);
        },
      };
    },
    complete: async (files) => {
      await inner.complete(files);
      await writeManifest(root, listing, files);
    },
  };
}

function directPlace(listing: HubListing, root: string, cache: string): Place {
  const work = join(root, WORK_FOLDER);
  return {
    root,
    found: root,
    prepare: async (file) => {
      const digest = digestOf(file, listing);
      return {
        size: file.size,
        digest,
        target: join(work, digest.hex),
        part: partPath(work, digest.hex),
        lock: join(work, `${digest.hex}.omni-lock`),
        copy: join(blobsFolder(repoFolder(cache, listing.repo)), digest.hex),
        makeFolders: () => ownFolder(root, work),
        isThere: () => Promise.resolve(false),
        settle: () => Promise.resolve(),
      };
    },
    complete: () => Promise.resolve(),
  };
}
