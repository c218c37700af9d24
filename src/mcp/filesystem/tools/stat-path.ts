import type { BigIntStats } from "node:fs";
import { z } from "zod";
import { kindOf, pin, type Pinned } from "../beneath.ts";
import { openFolder, openParent, placeOf, type Ground, type Place } from "../ground.ts";
import { refusalOf } from "../refusal.ts";
import { answer } from "../text.ts";
import { fileTool } from "./file-tool.ts";

export const statPath = fileTool({
  name: "stat",
  title: "Look at a file or folder",
  description:
    "Says what is at a path: type, size in bytes, times (UTC), permissions and number of hard links. Of a link itself, not of what it leads to.",
  schema: z.strictObject({ path: z.string().describe("Path of anything: root/folder/name.") }),
  effect: "reads",
  idempotent: true,
  run: async (ground, { path }) => {
    const place = placeOf(ground, path, "folder");
    const stats = await statsOf(ground, place);
    const writable = ground.roots.writable(place.root);
    return answer(
      `path: ${place.text}`,
      `type: ${kindOf(stats)}`,
      `size: ${stats.size}`,
      `changed: ${stats.mtime.toISOString()}`,
      `created: ${stats.birthtime.toISOString()}`,
      `permissions: ${(Number(stats.mode) & 0o777).toString(8).padStart(3, "0")}`,
      `hard links: ${stats.nlink}`,
      `root: ${writable ? "writable" : "read-only"}`,
    );
  },
});

async function statsOf(ground: Ground, place: Place): Promise<BigIntStats> {
  if (place.names.length === 0) {
    await using root = await openFolder(ground, place);
    return await root.stat({ bigint: true });
  }
  const { folder, name } = await openParent(ground, place);
  await using parent = folder;
  try {
    await using pinned: Pinned = await pin(parent, name);
    return pinned.stats;
  } catch (error) {
    throw refusalOf(error, place.text);
  }
}
