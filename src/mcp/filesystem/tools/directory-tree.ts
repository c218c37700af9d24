import { z } from "zod";
import { openFolder, placeOf } from "../ground.ts";
import { refusalOf } from "../refusal.ts";
import { answer } from "../text.ts";
import { walk, walkBudget } from "../walk.ts";
import { fileTool, folderPath } from "./file-tool.ts";

const MARKS = { file: "", folder: "/", link: "  (link, not followed)", other: "  (no file)" };

export const directoryTree = fileTool({
  name: "directory_tree",
  title: "Show a tree of folders",
  description:
    "Shows what is in a folder and in the folders of it, indented, down to a depth and up to a number of entries.",
  schema: z.strictObject({
    path: folderPath(),
    depth: z.int().min(1).max(16).default(3).describe("Folders in each other that are looked into."),
    limit: z.int().min(1).max(5000).default(500).describe("Most entries."),
  }),
  effect: "reads",
  idempotent: true,
  run: async (ground, { path, depth, limit }, signal) => {
    const place = placeOf(ground, path, "folder");
    await using folder = await openFolder(ground, place);
    const budget = { ...walkBudget(signal), depth, left: limit };
    const lines: string[] = [];
    try {
      for await (const { entry, names } of walk(ground, folder, place, budget)) {
        const indent = "  ".repeat(names.length - place.names.length);
        lines.push(`${indent}${entry.name}${MARKS[entry.kind]}`);
      }
    } catch (error) {
      throw refusalOf(error, place.text);
    }
    const ended = budget.left <= 0 ? `the tree ends after ${limit} entries` : budget.cut;
    return answer(
      `${place.text}/`,
      ...lines,
      ...(budget.cut === undefined ? [] : [`(${ended ?? budget.cut})`]),
    );
  },
});
