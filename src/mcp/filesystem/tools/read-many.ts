import { z } from "zod";
import { placeOf, withFile, type Ground } from "../ground.ts";
import { Refusal, shown } from "../refusal.ts";
import { fileTool } from "./file-tool.ts";
import { readText } from "./read-file.ts";

const MOST_FILES = 50;

export const readMany = fileTool({
  name: "read_many",
  title: "Read several text files",
  description:
    "Reads the beginnings of several text files, each under its path. All together are bounded as one read is; what is cut or " +
    "cannot be read says so in its place.",
  schema: z.strictObject({
    paths: z.array(z.string()).min(1).max(MOST_FILES).describe("Paths of files: root/folder/file."),
  }),
  effect: "reads",
  idempotent: true,
  run: async (ground, { paths }, signal) => {
    let left = ground.maxRead;
    const content: { type: "text"; text: string }[] = [];
    for (const path of paths) {
      const { text, bytes } = await beginning(ground, path, left, signal);
      left -= bytes;
      content.push({ type: "text", text });
    }
    return { content };
  },
});

async function beginning(ground: Ground, path: string, left: number, signal: AbortSignal) {
  const head = `== ${path}`;
  try {
    const place = placeOf(ground, path, "file");
    return await withFile(ground, place, async (file) => {
      if (left <= 0) throw new Refusal("Not read: the files before it took all that one call may read.");
      const part = await readText(file, 0, left, signal);
      if (part === undefined) throw new Refusal("No UTF-8 text; read_binary reads what is no text.");
      const rest = part.more
        ? `\n(cut after ${part.to} of ${file.stats.size} bytes; read_file goes on with offset=${part.to})`
        : "";
      return { text: `${head}\n${part.text}${rest}`, bytes: part.to };
    });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { text: `== ${shown(path)}\n(${error.message})`, bytes: 0 };
  }
}
