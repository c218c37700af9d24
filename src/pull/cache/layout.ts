import { join, relative, dirname } from "node:path";
import { huggingFaceHome } from "../../models/index.ts";

/**
 * Where the Hugging Face tools keep models: HF_HUB_CACHE, else `hub` of their own folder. Source: huggingface_hub,
 * constants.py and docs "Understand caching".
 */
export const hubCache = (): string =>
  process.env["HF_HUB_CACHE"] ?? process.env["HUGGINGFACE_HUB_CACHE"] ?? join(huggingFaceHome(), "hub");

/** `models--owner--name`. */
const PREFIX = "models--";
export const repoFolder = (cache: string, repo: string): string =>
  join(cache, `${PREFIX}${repo.replaceAll("/", "--")}`);

/** The repository that a folder of the cache is for; `undefined` for folders of other kinds. */
export function repoOf(folder: string): string | undefined {
  const parts = folder.startsWith(PREFIX) ? folder.slice(PREFIX.length).split("--") : [];
  return parts.length === 2 && parts.every((part) => /^[\w.-]+$/.test(part)) ? parts.join("/") : undefined;
}

export const blobsFolder = (repo: string): string => join(repo, "blobs");
export const snapshotFolder = (repo: string, commit: string): string => join(repo, "snapshots", commit);

/** Unfinished files of ours. The tools' own end in `.incomplete`, are written from the beginning, and are left to them. */
export const PART_ENDING = ".omni-part";
export const partPath = (folder: string, digest: string): string => join(folder, `${digest}${PART_ENDING}`);

/** The lock of a blob. The tools lock `<etag>.lock` by another call, which would not see this one. */
export const blobLock = (cache: string, repo: string, digest: string): string =>
  join(cache, ".locks", `${PREFIX}${repo.replaceAll("/", "--")}`, `${digest}.omni-lock`);

/** What a link in a snapshot says: the way to its blob, relative, so that a cache can be moved. */
export const linkTarget = (repo: string, commit: string, path: string, digest: string): string =>
  relative(dirname(join(snapshotFolder(repo, commit), path)), join(blobsFolder(repo), digest));
