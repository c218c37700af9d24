import { readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { HubDigest, HubFile, HubListing } from "../../models/index.ts";
import { digestOf } from "../digest-of.ts";
import { fileDigest } from "../file-digest.ts";

/** Stands in a folder of plain files and says what was verified there, so that it need not be read again each time. */
const MANIFEST = ".omni-model.json";

const MODEL = z.object({
  repository: z.string(),
  revision: z.string(),
  commit: z.string(),
  files: z.array(
    z.object({
      path: z.string(),
      size: z.int(),
      algorithm: z.enum(["sha256", "git-sha1"]),
      hex: z.string(),
      /** Milliseconds of the file's last change when it was verified. */
      modified: z.number(),
    }),
  ),
});
const SCHEMA = z.object({ omni: z.literal(1), models: z.array(MODEL) });

/** What was fetched of one repository into a folder. */
export type Manifest = z.infer<typeof MODEL>;

/** What was fetched into a folder; nothing where that is not written down. */
export async function readManifests(folder: string): Promise<readonly Manifest[]> {
  try {
    return SCHEMA.parse(JSON.parse(await readFile(join(folder, MANIFEST), "utf8"))).models;
  } catch {
    // Without it files are hashed, which is slower and as good.
    return [];
  }
}

/** Writes down what lies in a folder, after all of it was verified. What earlier pulls left there stays in it. */
export async function writeManifest(
  folder: string,
  listing: HubListing,
  files: readonly HubFile[],
): Promise<void> {
  const manifests = await readManifests(folder);
  const fresh = new Set(files.map(({ path }) => path));
  const { repo: repository, revision, commit } = listing;
  const before = manifests.find((one) => one.repository === repository)?.files ?? [];
  const entries = await Promise.all(
    files.map(async (file) => {
      const { algorithm, hex } = digestOf(file, listing);
      const { mtimeMs: modified } = await stat(join(folder, file.path));
      return { path: file.path, size: file.size, algorithm, hex, modified };
    }),
  );
  const own = {
    repository,
    revision,
    commit,
    files: [...before.filter(({ path }) => !fresh.has(path)), ...entries],
  };
  const models = [...manifests.filter((one) => one.repository !== repository), own];
  const aside = join(folder, `${MANIFEST}.${process.pid}`);
  await writeFile(aside, `${JSON.stringify({ omni: 1, models }, null, 2)}\n`, { flush: true });
  await rename(aside, join(folder, MANIFEST));
}

/**
 * Whether a file of a folder has this checksum: by the manifest where the file has not changed since, by reading all of it
 * otherwise, or always with `thorough`.
 */
export async function fileIs(
  folder: string,
  wanted: { readonly path: string; readonly size: number; readonly digest: HubDigest },
  manifest: Manifest | undefined,
  thorough = false,
): Promise<boolean> {
  const path = join(folder, wanted.path);
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true || found.size !== wanted.size) return false;
  const known = manifest?.files.find((file) => file.path === wanted.path);
  const { algorithm, hex } = wanted.digest;
  if (
    !thorough &&
    known?.modified === found.mtimeMs &&
    known.size === found.size &&
    known.algorithm === algorithm
  )
    return known.hex === hex;
  return (await fileDigest(path, wanted.size, algorithm)) === hex;
}
