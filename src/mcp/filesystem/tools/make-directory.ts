import { mkdir, type FileHandle } from "node:fs/promises";
import { z } from "zod";
import { at, step } from "../beneath.ts";
import { writablePlace } from "../ground.ts";
import { codeOf, refusalOf } from "../refusal.ts";
import { answer } from "../text.ts";
import { fileTool, folderPath } from "./file-tool.ts";

export const makeDirectory = fileTool({
  name: "make_directory",
  title: "Make a folder",
  description:
    "Makes a folder, and those above it that are missing. A folder that is there already is no error.",
  schema: z.strictObject({ path: folderPath() }),
  effect: "adds",
  idempotent: true,
  run: async (ground, { path }, signal) => {
    const place = writablePlace(ground, path, "folder");
    const made = await ground.serial(async () => {
      signal.throwIfAborted();
      let here = await ground.roots.open(place.root);
      let count = 0;
      try {
        for (const name of place.names) {
          if (await madeIn(here, name)) count += 1;
          const next = await step(here, name);
          await here.close();
          here = next;
        }
        return count;
      } catch (error) {
        throw refusalOf(error, place.text);
      } finally {
        await here.close();
      }
    });
    return answer(made === 0 ? `${place.text} was there already.` : `${place.text} was made.`);
  },
});

/** Whether the folder had to be made. A link in its place is left to the step into it, which refuses it. */
async function madeIn(folder: FileHandle, name: string): Promise<boolean> {
  try {
    await (await step(folder, name)).close();
    return false;
  } catch (error) {
    if (codeOf(error) !== "ENOENT") return false;
  }
  try {
    await mkdir(at(folder, name));
    return true;
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    return false;
  }
}
