import type { FileHandle } from "node:fs/promises";
import { z } from "zod";
import { entriesOf, omissions, statIn, type Entry } from "../entries.ts";
import { openFolder, placeOf } from "../ground.ts";
import { refusalOf } from "../refusal.ts";
import { answer } from "../text.ts";
import { fileTool, folderPath } from "./file-tool.ts";

const MOST = 1000;

export const listDirectory = fileTool({
  name: "list_directory",
  title: "List a folder",
  description:
    "Lists a folder by name, page by page: type, size in bytes, time of the last change (UTC), name. Folders end in /; " +
    "links are shown and never followed.",
  schema: z.strictObject({
    path: folderPath(),
    offset: z.int().min(0).default(0).describe("Entries to leave out at the beginning."),
    limit: z.int().min(1).max(MOST).default(200).describe("Most entries of this page."),
  }),
  effect: "reads",
  idempotent: true,
  run: async (ground, { path, offset, limit }, signal) => {
    const place = placeOf(ground, path, "folder");
    await using folder = await openFolder(ground, place);
    try {
      const all = await entriesOf(ground, folder, place, signal);
      const page = all.entries.slice(offset, offset + limit);
      const lines = await Promise.all(page.map((entry) => line(folder, entry)));
      const next = offset + page.length;
      const more = next < all.entries.length;
      return answer(
        `${place.text}: ${page.length === all.entries.length ? "" : `${page.length} of `}${all.entries.length} entries`,
        ...lines,
        ...(more ? [`(${all.entries.length - next} more; go on with offset=${next})`] : []),
        ...omissions(all),
      );
    } catch (error) {
      throw refusalOf(error, place.text);
    }
  },
});

async function line(folder: FileHandle, { name, kind }: Entry): Promise<string> {
  const stats = await statIn(folder, name);
  const size = kind === "file" && stats !== undefined ? String(stats.size) : "-";
  const time = stats === undefined ? "-" : `${stats.mtime.toISOString().slice(0, 19)}Z`;
  return `${kind.padEnd(6)} ${size.padStart(12)}  ${time.padEnd(20)}  ${name}${kind === "folder" ? "/" : ""}`;
}
