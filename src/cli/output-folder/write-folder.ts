import { chmod, mkdir, mkdtemp, open, readdir, rename, rm, rmdir, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { OmniError } from "../../core/index.ts";
import type { Diagnostic } from "../../core/index.ts";
import { MANIFEST, manifestText } from "../../render/index.ts";
import { STAGING } from "./compare-folder.ts";
import type { ComparedFile, ComparedFolder } from "./compare-folder.ts";

/** The files that differ from what the spec renders to, in a fixed order. */
export const differences = ({ files }: ComparedFolder): readonly ComparedFile[] =>
  files.filter(({ state }) => state !== "same").toSorted((a, b) => (a.path < b.path ? -1 : 1));

/** Why files may not be written as things stand, each with what would allow it; empty when nothing is in the way. */
export function refusals(compared: ComparedFolder, folder: string, force: boolean): readonly Diagnostic[] {
  return compared.files.flatMap(({ path, state }): Diagnostic[] => {
    const file = join(folder, path);
    if (state === "foreign")
      return [
        {
          code: "render.foreign-file",
          severity: "error",
          file,
          message: "Omni did not write this file, and the spec renders another one to its place.",
          hint: "Move it away, or render into another folder; --force does not touch it either.",
        },
      ];
    if (state !== "edited" || force) return [];
    return [
      {
        code: "render.edited-file",
        severity: "error",
        file,
        message: "This file was edited since Omni wrote it; rendering would lose the change.",
        hint: "See the change with --diff, carry it into the spec, or write over it with --force.",
      },
    ];
  });
}

/**
 * Brings the folder to what was compared: files are written aside, made durable and then given their names, the manifest
 * last. Killed at any moment, every file is whole, and the next run knows which are Omni's. Files not asked for any more
 * are removed unless they were edited. Throws `OmniError` `render.foreign-file` or `render.edited-file` before anything is touched.
 */
export async function writeFolder(folder: string, compared: ComparedFolder, force: boolean): Promise<void> {
  const refused = refusals(compared, folder, force);
  if (refused.length > 0) {
    const code = refused[0]?.code ?? "render.foreign-file";
    throw new OmniError(code, "Nothing was written.", { diagnostics: refused });
  }
  await mkdir(folder, { recursive: true });
  const leftOver = (await readdir(folder)).filter((name) => STAGING.test(name));
  const staging = await mkdtemp(join(folder, ".omni-staging-"));
  const changed = compared.files.filter(({ state }) => WRITTEN.has(state));
  try {
    await writeDurably(join(staging, MANIFEST), manifestText(compared.manifest));
    await stage(staging, changed);
  } catch (thrown) {
    await rm(staging, { recursive: true, force: true });
    throw thrown;
  }
  // From here on the staged manifest stays until all is done: killed now, the next run knows by it which files are Omni's.
  for (const [index, { path }] of changed.entries()) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await rename(join(staging, String(index)), join(folder, path));
  }
  for (const { path, state } of compared.files) if (state === "obsolete") await removeFile(folder, path);
  await writeAside(folder, staging, compared);
  for (const name of [staging, ...leftOver.map((one) => join(folder, one))])
    await rm(name, { recursive: true, force: true });
}

/** The manifest gets its name as a copy: the staged one vouches for the files until the folder is whole. */
async function writeAside(folder: string, staging: string, compared: ComparedFolder): Promise<void> {
  const aside = join(staging, "manifest");
  await writeDurably(aside, manifestText(compared.manifest));
  await rename(aside, join(folder, MANIFEST));
}

const WRITTEN: ReadonlySet<ComparedFile["state"]> = new Set(["missing", "stale", "edited", "mode"]);

async function stage(staging: string, files: readonly ComparedFile[]): Promise<void> {
  for (const [index, { wanted }] of files.entries()) {
    if (wanted === undefined) continue;
    const aside = join(staging, String(index));
    await writeDurably(aside, wanted.content);
    // The umask must not take a script's right to run.
    await chmod(aside, wanted.mode);
  }
}

async function writeDurably(file: string, text: string): Promise<void> {
  await writeFile(file, text, { flag: "wx" });
  const handle = await open(file, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes a file and the folders that are empty without it. */
async function removeFile(folder: string, path: string): Promise<void> {
  await unlink(join(folder, path));
  for (let place = dirname(path); place !== "."; place = dirname(place)) {
    const left = await rmdir(join(folder, place)).then(
      () => false,
      () => true,
    );
    if (left) return;
  }
}
