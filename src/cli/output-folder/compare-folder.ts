import { lstat, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { OmniError, present } from "../../core/index.ts";
import { entryOf, MANIFEST, manifestText, parseManifest, sha256 } from "../../render/index.ts";
import type { ManifestEntry, RenderedFile, RenderedNode } from "../../render/index.ts";
import { stagingFolders } from "./staging.ts";

/**
 * How a file of the folder stands to what the spec renders to now:
 * `same`; `missing`; `stale`, as Omni wrote it from an earlier spec; `edited` since Omni wrote it; `mode`, the same with other
 * permissions; `obsolete`, Omni's own and not asked for any more; `edited-obsolete`, that and edited; `foreign`, somebody
 * else's file where one would be rendered.
 */
export type FileState =
  | "same"
  | "missing"
  | "stale"
  | "edited"
  | "mode"
  | "obsolete"
  | "edited-obsolete"
  | "foreign";

export interface ComparedFile {
  readonly path: string;
  readonly state: FileState;
  /** What the spec renders to; absent for what is not asked for any more. */
  readonly wanted?: RenderedFile;
  /** What the folder holds; absent where nothing is there. */
  readonly found?: string;
  readonly was?: ManifestEntry;
}

export interface ComparedFolder {
  readonly files: readonly ComparedFile[];
  /** Entries of the manifest after writing, files of other targets included. */
  readonly manifest: readonly ManifestEntry[];
  /** The manifest itself differs from what it would be. */
  readonly manifestDiffers: boolean;
}

/**
 * Compares an output folder with what is rendered. Reads only. Throws `OmniError`: `render.unsafe-path` where a link stands
 * in the way, `render.manifest-invalid` when nobody can tell which files are Omni's.
 */
export async function compareFolder(folder: string, rendered: RenderedNode): Promise<ComparedFolder> {
  await checkFolder(folder);
  const typed = (await readPlain(folder, MANIFEST, MANIFEST_LIMIT))?.text;
  const before = typed === undefined ? [] : parseManifest(typed, join(folder, MANIFEST));
  const known = new Map<string, ManifestEntry>(before.map((entry) => [entry.path, entry]));
  const interrupted = await interruptedHashes(folder);
  const ours = (path: string, hash: string): boolean =>
    known.get(path)?.sha256 === hash || interrupted.has(`${path} ${hash}`);
  const wanted = new Map(rendered.files.map((file) => [file.path, file]));
  const owners = new Set<string>(rendered.owners);
  const gone = before.filter((entry) => owners.has(entry.target) && !wanted.has(entry.path));

  const readings = await Promise.all(rendered.files.map(({ path }) => readPlain(folder, path)));
  const files = rendered.files.map((file, index): ComparedFile => {
    const found = readings[index];
    const was = known.get(file.path);
    const state = stateOf(file, found, was !== undefined, ours);
    return { path: file.path, state, wanted: file, ...present({ found: found?.text, was }) };
  });
  for (const was of gone) {
    const found = await readPlain(folder, was.path).catch(ignoreUnsafe);
    if (found === undefined) continue;
    // A link or folder that somebody put where a file of Omni's was is somebody's own.
    if (found === "unsafe") files.push({ path: was.path, state: "edited-obsolete", was });
    else {
      const state = ours(was.path, found.sha256) ? "obsolete" : "edited-obsolete";
      files.push({ path: was.path, state, found: found.text, was });
    }
  }
  const kept = before.filter((entry) => !owners.has(entry.target) && !wanted.has(entry.path));
  const manifest = [...kept, ...rendered.files.map(entryOf)];
  return { files, manifest, manifestDiffers: typed !== manifestText(manifest) };
}

/** The folder may be a link to one: its owner chose the name. Anything else in its place is no output folder. */
async function checkFolder(folder: string): Promise<void> {
  const status = await stat(folder).catch(ignoreMissing);
  if (status?.isDirectory()) return;
  if (status === undefined) {
    const link = await lstat(folder).catch(ignoreMissing);
    if (link === undefined) return;
  }
  throw new OmniError(
    "render.unsafe-path",
    status === undefined ? `${folder} is a link to nothing.` : `${folder} is no folder.`,
    { hint: "Give --out a folder, or a new name." },
  );
}

interface Found {
  readonly text: string;
  readonly sha256: string;
  readonly mode: number;
}

/** Permissions that matter: who may run it, and that not everybody may write what root will run. */
const COMPARED = 0o113;

function stateOf(
  file: RenderedFile,
  found: Found | undefined,
  inManifest: boolean,
  ours: (path: string, hash: string) => boolean,
): FileState {
  if (found === undefined) return "missing";
  if (found.sha256 === file.sha256)
    return (found.mode & COMPARED) === (file.mode & COMPARED) ? "same" : "mode";
  if (ours(file.path, found.sha256)) return "stale";
  return inManifest ? "edited" : "foreign";
}

/** Hashes that a run which was killed had meant to write: files that carry them are Omni's, whatever the manifest says. */
async function interruptedHashes(folder: string): Promise<ReadonlySet<string>> {
  const hashes = new Set<string>();
  for (const name of await stagingFolders(folder)) {
    const staged = await readPlain(folder, `${name}/${MANIFEST}`, MANIFEST_LIMIT);
    if (staged === undefined) continue;
    for (const entry of vouched(staged.text)) hashes.add(`${entry.path} ${entry.sha256}`);
  }
  return hashes;
}

/** Killed while it wrote its list, a run had not yet given any file its name: half a list vouches for nothing. */
function vouched(text: string): readonly ManifestEntry[] {
  try {
    return parseManifest(text, MANIFEST);
  } catch {
    return [];
  }
}

/** A regular file below the folder, reached through plain folders only. */
async function readPlain(folder: string, path: string, limit = Infinity): Promise<Found | undefined> {
  const segments = path.split("/");
  for (let depth = 1; depth <= segments.length; depth++) {
    const place = join(folder, ...segments.slice(0, depth));
    const status = await lstat(place).catch(ignoreMissing);
    if (status === undefined) return undefined;
    const last = depth === segments.length;
    if (last && status.size > limit)
      throw new OmniError(
        "render.manifest-invalid",
        `${place} has ${status.size} bytes; no list of files has.`,
      );
    if (last ? status.isFile() : status.isDirectory()) continue;
    throw new OmniError(
      "render.unsafe-path",
      `${place} is ${status.isSymbolicLink() ? "a link" : last ? "no plain file" : "no folder"}, and ${path} would be rendered there.`,
      { hint: "Move it away, or render into another folder." },
    );
  }
  const bytes = await readFile(join(folder, path));
  const { mode } = await lstat(join(folder, path));
  return { text: bytes.toString("utf8"), sha256: sha256(bytes), mode };
}

/** Bytes; a manifest has some 300 for each file. */
const MANIFEST_LIMIT = 16 * 2 ** 20;

function ignoreUnsafe(thrown: unknown): "unsafe" {
  if (thrown instanceof OmniError && thrown.code === "render.unsafe-path") return "unsafe";
  throw thrown;
}

function ignoreMissing(thrown: unknown): undefined {
  if (thrown instanceof Error && "code" in thrown && (thrown.code === "ENOENT" || thrown.code === "ENOTDIR"))
    return undefined;
  throw thrown;
}
