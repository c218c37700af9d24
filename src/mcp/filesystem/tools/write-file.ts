import { z } from "zod";
import { changeFile } from "../change-file.ts";
import { writablePlace } from "../ground.ts";
import { Refusal, shown } from "../refusal.ts";
import { answer } from "../text.ts";
import { filePath, fileTool } from "./file-tool.ts";

export const writeFile = fileTool({
  name: "write_file",
  title: "Write a file",
  description:
    "Writes a whole file at once: who reads it sees all of the old or all of the new. A file that is there is replaced only with " +
    "overwrite, and its previous version is kept (list_versions). The folder must be there; make_directory makes one.",
  schema: z.strictObject({
    path: filePath(),
    content: z.string().describe("What the file shall hold."),
    encoding: z.enum(["utf8", "base64"]).default("utf8").describe("How the content is written here."),
    overwrite: z.boolean().default(false).describe("Replace a file that is there."),
  }),
  effect: "replaces",
  idempotent: true,
  run: async (ground, { path, content, encoding, overwrite }, signal) => {
    const place = writablePlace(ground, path, "file");
    const bytes = encoding === "utf8" ? fromText(content) : fromBase64(content);
    let replaced = false;
    await changeFile(
      ground,
      place,
      (before) => {
        replaced = before.bytes !== undefined;
        if (replaced && !overwrite)
          throw new Refusal(
            `${shown(place.text)} is there already. Nothing was changed; use edit_file, or overwrite: true to replace it.`,
          );
        return bytes;
      },
      signal,
    );
    return answer(
      `${place.text}: ${bytes.length} bytes written; ${replaced ? "the file before is replaced" : "a new file"}.`,
    );
  },
});

/** Throws `Refusal` for half a character, which would be written as another one. */
function fromText(content: string): Buffer {
  if (!content.isWellFormed()) throw new Refusal("The content is not valid Unicode. Nothing was changed.");
  return Buffer.from(content);
}

function fromBase64(content: string): Buffer {
  const compact = content.replaceAll(/\s/g, "");
  const bytes = Buffer.from(compact, "base64");
  if (bytes.toString("base64").replaceAll("=", "") !== compact.replaceAll("=", ""))
    throw new Refusal("The content is not base64. Nothing was changed.");
  return bytes;
}
