import { readFile, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { linkTarget, snapshotFolder } from "./layout.ts";
import { ownFolder } from "./own-folder.ts";
import { syncFolder } from "./durable-folder.ts";

/** Gives a blob its name in a snapshot, in one step: readers see the old link, the new one, or none. */
export async function linkSnapshot(
  cache: string,
  repo: string,
  file: { readonly commit: string; readonly path: string; readonly digest: string },
): Promise<void> {
  const path = join(snapshotFolder(repo, file.commit), file.path);
  const target = linkTarget(repo, file.commit, file.path, file.digest);
  if ((await readlink(path).catch(() => undefined)) === target) return;
  await ownFolder(cache, dirname(path));
  const aside = `${path}.${process.pid}.omni-link`;
  await rm(aside, { force: true });
  await symlink(target, aside);
  await rename(aside, path);
  await syncFolder(dirname(path));
}

/** Writes down which commit a revision means; a commit by itself needs no such note. */
export async function writeReference(
  cache: string,
  repo: string,
  revision: string,
  commit: string,
): Promise<void> {
  if (revision === commit) return;
  const path = join(repo, "refs", ...revision.split("/"));
  if ((await readFile(path, "utf8").catch(() => undefined)) === commit) return;
  await ownFolder(cache, dirname(path));
  const aside = `${path}.${process.pid}.omni-ref`;
  await writeFile(aside, commit, { flush: true });
  await rename(aside, path);
}
