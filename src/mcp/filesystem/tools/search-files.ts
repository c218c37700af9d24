import { z } from "zod";
import { pathText } from "../client-path.ts";
import { foldName, foldText } from "../fold.ts";
import { charactersOf, compileGlob } from "../glob.ts";
import { openFolder, placeOf } from "../ground.ts";
import { refusalOf } from "../refusal.ts";
import { answer } from "../text.ts";
import { walk, walkBudget } from "../walk.ts";
import { fileTool, folderPath } from "./file-tool.ts";

export const searchFiles = fileTool({
  name: "search_files",
  title: "Find files by name",
  description:
    "Finds files and folders beneath a folder by a glob, whatever their case: *, ?, [a-z], {a,b}, and ** for any folders. A glob " +
    "without a slash means names at any depth, one with a slash paths beneath the folder. At most 100 000 entries and 10 s.",
  schema: z.strictObject({
    path: folderPath(),
    pattern: z.string().min(1).max(500).describe("Glob, such as *.md or src/**/*.ts."),
    limit: z.int().min(1).max(1000).default(200).describe("Most results."),
  }),
  effect: "reads",
  idempotent: true,
  run: async (ground, { path, pattern, limit }, signal) => {
    const place = placeOf(ground, path, "folder");
    const glob = compileGlob(foldText(pattern));
    const budget = walkBudget(signal);
    const found: string[] = [];
    await using folder = await openFolder(ground, place);
    try {
      for await (const { entry, names } of walk(ground, folder, place, budget)) {
        const beneath = (glob.path ? names.slice(place.names.length) : [entry.name]).map((name) =>
          charactersOf(foldName(name)),
        );
        if (!glob.matches(beneath)) continue;
        if (found.length >= limit) {
          budget.cut = `there are more; the first ${limit} are shown`;
          break;
        }
        found.push(pathText(place.root, names) + (entry.kind === "folder" ? "/" : ""));
      }
    } catch (error) {
      throw refusalOf(error, place.text);
    }
    const none = found.length === 0 ? ["Nothing was found."] : [];
    return answer(...none, ...found, ...(budget.cut === undefined ? [] : [`(${budget.cut})`]));
  },
});
