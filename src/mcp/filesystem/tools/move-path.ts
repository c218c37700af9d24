import { rename, type FileHandle } from "node:fs/promises";
import { z } from "zod";
import { at, pin, pinIfThere, step, type Pinned } from "../beneath.ts";
import { notAFile, openParent, writablePlace, type Ground, type Place } from "../ground.ts";
import { Refusal, refusalOf, shown } from "../refusal.ts";
import { makeDurable, renameNew } from "../replace-file.ts";
import { answer } from "../text.ts";
import { holdsClosed } from "../walk.ts";
import { fileTool } from "./file-tool.ts";

export const movePath = fileTool({
  name: "move",
  title: "Move or rename",
  description:
    "Moves or renames a file or a folder, within a root or to another writable one on the same disk. A file that is in the way is " +
    "replaced only with overwrite, and its version is kept; a folder in the way never.",
  schema: z.strictObject({
    from: z.string().describe("Path of a file or folder: root/folder/name."),
    to: z.string().describe("Its new path, with its new name."),
    overwrite: z.boolean().default(false).describe("Replace a file that is there."),
  }),
  effect: "replaces",
  idempotent: false,
  run: async (ground, args, signal) => {
    const from = writablePlace(ground, args.from, "folder");
    const to = writablePlace(ground, args.to, "folder");
    if (from.root === to.root && from.names.every((name, index) => to.names[index] === name))
      throw new Refusal(`${shown(to.text)} is ${shown(from.text)} itself or in it. Nothing was changed.`);
    await ground.serial(() => move({ ground, from, to, overwrite: args.overwrite, signal }));
    return answer(`${from.text} is now ${to.text}.`);
  },
});

interface Move {
  readonly ground: Ground;
  readonly from: Place;
  readonly to: Place;
  readonly overwrite: boolean;
  readonly signal: AbortSignal;
}

async function move(job: Move): Promise<void> {
  const { ground, from, to } = job;
  job.signal.throwIfAborted();
  const source = await openParent(ground, from);
  await using here = source.folder;
  const target = await openParent(ground, to);
  await using there = target.folder;
  try {
    await using moved = await pin(here, source.name);
    await using old = await pinIfThere(there, target.name);
    if (moved.stats.isDirectory()) await refuseClosed(job, here, source.name);
    else if (!moved.stats.isFile()) throw notAFile(moved, from.text);
    if (old === undefined && moved.stats.isFile()) await renameNew(here, source.name, there, target.name);
    else {
      if (old !== undefined) await giveWay(job, moved, old);
      await rename(at(here, source.name), at(there, target.name));
    }
    await makeDurable(there);
    await makeDurable(here);
  } catch (error) {
    throw refusalOf(error, from.text);
  }
}

/** A folder that moves takes along what is closed by its path, which could be open at the new one. */
async function refuseClosed({ ground, from, signal }: Move, folder: FileHandle, name: string): Promise<void> {
  await using moved = await step(folder, name);
  if (await holdsClosed(ground, moved, from, signal))
    throw new Refusal(
      `${shown(from.text)} cannot be moved as a whole. Make a new folder and move its files one by one.`,
    );
}

async function giveWay({ ground, to, overwrite, signal }: Move, moved: Pinned, old: Pinned): Promise<void> {
  if (old.stats.dev === moved.stats.dev && old.stats.ino === moved.stats.ino && old.stats.isFile())
    throw new Refusal(`${shown(to.text)} is the same file. Nothing was changed.`);
  if (!old.stats.isFile()) throw notAFile(old, to.text);
  if (!moved.stats.isFile() || !overwrite)
    throw new Refusal(
      `${shown(to.text)} is there already. Nothing was changed; a file is replaced with overwrite: true.`,
    );
  await ground.versions.keep(to, old, signal);
}
