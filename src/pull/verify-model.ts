import { rename, stat } from "node:fs/promises";
import { join } from "node:path";
import type { HubDigest } from "../models/index.ts";
import { partPath } from "./cache/layout.ts";
import type { CachedRepository } from "./cache/scan-cache.ts";
import { openPart } from "./download/open-part.ts";
import { fileDigest } from "./file-digest.ts";
import { fileIs } from "./folder/manifest.ts";
import type { Manifest } from "./folder/manifest.ts";

export interface VerifiedFile {
  /** Name in the snapshot or folder; a blob's own name where nothing leads to it. */
  readonly path: string;
  readonly bytes: number;
  readonly state: "right" | "damaged" | "missing" | "unknown";
  /** Commit of the snapshot that names it. */
  readonly commit?: string;
}

/** What a blob's name says of its bytes; tools of old named some by other etags. */
function digestNamed(blob: string): HubDigest | undefined {
  if (/^[0-9a-f]{64}$/.test(blob)) return { algorithm: "sha256", hex: blob };
  return /^[0-9a-f]{40}$/.test(blob) ? { algorithm: "git-sha1", hex: blob } : undefined;
}

/** Reads every byte of a repository of the cache and compares it with the checksums that its blobs are named by. */
export async function verifyRepository(
  { folder, snapshots }: Pick<CachedRepository, "folder" | "snapshots">,
  tell: (path: string) => void,
): Promise<readonly VerifiedFile[]> {
  const results: VerifiedFile[] = [];
  const known = new Map<string, VerifiedFile["state"]>();
  for (const { commit, files } of snapshots)
    for (const { path, blob, size } of files) {
      tell(path);
      const state = known.get(blob) ?? (await stateOf(join(folder, "blobs", blob), blob, size));
      known.set(blob, state);
      results.push({ path, bytes: size ?? 0, state, commit });
    }
  return results;
}

async function stateOf(path: string, blob: string, size: number | undefined): Promise<VerifiedFile["state"]> {
  if (size === undefined) return "missing";
  const digest = digestNamed(blob);
  if (digest === undefined) return "unknown";
  return (await fileDigest(path, size, digest.algorithm)) === digest.hex ? "right" : "damaged";
}

/** The same for what one manifest of a folder of plain files tells. */
export async function verifyFolder(
  folder: string,
  manifest: Manifest,
  tell: (path: string) => void,
): Promise<readonly VerifiedFile[]> {
  const results: VerifiedFile[] = [];
  for (const { path, size, algorithm, hex } of manifest.files) {
    tell(path);
    const there = await stat(join(folder, path)).catch(() => undefined);
    const right = await fileIs(folder, { path, size, digest: { algorithm, hex } }, manifest, true);
    const state = there === undefined ? "missing" : right ? "right" : "damaged";
    results.push({ path, bytes: size, state, commit: manifest.commit });
  }
  return results;
}

/**
 * Makes an unfinished download of a damaged blob, of which every byte is there and none is believed: the next pull compares
 * it with a second copy and stops as soon as the checksum fits.
 */
export async function demoteBlob(folder: string, blob: string): Promise<void> {
  const path = join(folder, "blobs", blob);
  const { size } = await stat(path);
  const part = partPath(join(folder, "blobs"), blob);
  await rename(path, part);
  const opened = await openPart(part, size, blob);
  try {
    for (let block = 0; block < opened.map.blocks; block++) opened.map.setHas(block, true);
    await opened.map.save();
  } finally {
    await opened.close();
  }
}
