import { z } from "zod";
import { changeFile } from "../change-file.ts";
import { placeOf, writablePlace } from "../ground.ts";
import { answer } from "../text.ts";
import { filePath, fileTool } from "./file-tool.ts";

export const listVersions = fileTool({
  name: "list_versions",
  title: "List versions of a file",
  description: "Lists what is kept of a file from before it was changed through this server, newest first.",
  schema: z.strictObject({ path: filePath() }),
  effect: "reads",
  changes: true,
  idempotent: true,
  run: async (ground, { path }) => {
    const place = placeOf(ground, path, "file");
    const versions = await ground.versions.list(place);
    if (versions.length === 0) return answer(`No version of ${place.text} is kept.`);
    return answer(
      ...versions.map(
        ({ number, kept, size }) => `${number}  replaced ${new Date(kept).toISOString()}  ${size} bytes`,
      ),
    );
  },
});

export const restoreVersion = fileTool({
  name: "restore_version",
  title: "Restore a version of a file",
  description:
    "Puts a kept version of a file in its place again. What the file holds now is kept as a version too.",
  schema: z.strictObject({
    path: filePath(),
    version: z.int().min(1).describe("Number of the version, from list_versions."),
  }),
  effect: "replaces",
  idempotent: true,
  run: async (ground, { path, version }, signal) => {
    const place = writablePlace(ground, path, "file");
    const bytes = await ground.versions.read(place, version);
    await changeFile(ground, place, () => bytes, signal);
    return answer(`${place.text} holds version ${version} again (${bytes.length} bytes).`);
  },
});
