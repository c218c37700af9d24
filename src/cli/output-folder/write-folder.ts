import { chmod, mkdir, open, rename, rm, rmdir, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { OmniError } from "../../core/index.ts";
import type { Diagnostic } from "../../core/index.ts";
import { MANIFEST, manifestText } from "../../render/index.ts";
import type { RenderedNode } from "../../render/index.ts";
import { compareFolder } from "./compare-folder.ts";
import type { ComparedFile, ComparedFolder } from "./compare-folder.ts";
import { claimStaging, stagingFolders } from "./staging.ts";

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
 * Brings the folder to what is rendered: files are written aside, made durable and then given their names, the manifest
 * last. Killed at any moment, every file is whole, and the next run knows which are Omni's. Files not asked for any more
 * are removed unless they were edited. Returns what there was before. Throws `OmniError` `render.foreign-file` or
 * `render.edited-file` before anything is touched, `render.busy` while another run writes there.
 */
export async function writeFolder(
  folder: string,
  rendered: RenderedNode,
  force: boolean,
): Promise<ComparedFolder> {
  const before = await compareFolder(folder, rendered);
  refuse(before, folder, force);
  if (isWhole(before) && (await stagingFolders(folder)).length === 0) return before;
  await mkdir(folder, { recursive: true });
  const { staging, leftOver } = await claimStaging(folder);
  const discard = (): Promise<void> => rm(staging, { recursive: true, force: true });
  let compared: ComparedFolder;
  try {
    // Again, now that nobody else writes: another run may just have ended.
    compared = await compareFolder(folder, rendered);
    refuse(compared, folder, force);
    await writeDurably(join(staging, MANIFEST), manifestText(compared.manifest));
    await stage(staging, changedOf(compared));
  } catch (thrown) {
    await discard();
    throw thrown;
  }
  // From here on the staged manifest stays until all is done: stopped now, the next run knows by it which files are Omni's.
  await unstage(folder, staging, compared);
  for (const name of leftOver) await rm(join(folder, name), { recursive: true, force: true });
  await discard();
  return compared;
}

/** Nothing would change, the manifest included: then nothing is written either, so that a folder may be read-only. */
const isWhole = (compared: ComparedFolder): boolean =>
  !compared.manifestDiffers &&
  changedOf(compared).length === 0 &&
  compared.files.every(({ state }) => state !== "obsolete");

const changedOf = ({ files }: ComparedFolder): readonly ComparedFile[] =>
  files.filter(({ state }) => WRITTEN.has(state));

function refuse(compared: ComparedFolder, folder: string, force: boolean): void {
  const refused = refusals(compared, folder, force);
  if (refused.length === 0) return;
  const code = refused[0]?.code ?? "render.foreign-file";
  throw new OmniError(code, "Nothing was written.", { diagnostics: refused });
}

/** Gives the staged files their names, removes what is not asked for any more, and names the manifest last. */
async function unstage(folder: string, staging: string, compared: ComparedFolder): Promise<void> {
  for (const [index, { path }] of changedOf(compared).entries()) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await rename(join(staging, String(index)), join(folder, path));
  }
  for (const { path, state } of compared.files) if (state === "obsolete") await removeFile(folder, path);
  await writeAside(folder, staging, compared);
}

/** The manifest gets its name as a copy: the staged one vouches for the files until the folder is whole. */
async function writeAside(folder: string, staging: string, compared: ComparedFolder): Promise<void> {
  const aside = join(staging, "manifest");
  await writeDurably(aside, manifestText(compared.manifest));
  await rename(aside, join(folder, MANIFEST));
}

const WRITTEN: ReadonlySet<ComparedFile["state"]> = new Set(["missing", "stale", "edited", "mode"]);

/** All at once; a failure is thrown when the last has ended, so that nothing is written behind its back. */
async function stage(staging: string, files: readonly ComparedFile[]): Promise<void> {
  const outcomes = await Promise.allSettled(
    files.map(async ({ wanted }, index) => {
      if (wanted === undefined) return;
      const aside = join(staging, String(index));
      await writeDurably(aside, wanted.content);
      // The umask must not take a script's right to run.
      await chmod(aside, wanted.mode);
    }),
  );
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed !== undefined) throw failed.reason;
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
