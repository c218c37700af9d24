import { z } from "zod";
import { placeOf, withFile } from "../ground.ts";
import { readBytes, startOf } from "../read-bytes.ts";
import { Refusal, shown } from "../refusal.ts";
import { answer, firstCharacter, lastCharacter, textOf } from "../text.ts";
import { filePath, fileTool } from "./file-tool.ts";

export const readFile = fileTool({
  name: "read_file",
  title: "Read a text file",
  description:
    "Reads a text file (UTF-8), or a part of it counted in bytes. A part ends behind its last whole line where it has one, and " +
    "its last line says how to go on. For files that are no text, use read_binary.",
  schema: z.strictObject({
    path: filePath(),
    offset: z.int().default(0).describe("Bytes to leave out at the beginning; negative counts from the end."),
    length: z
      .int()
      .min(4)
      .optional()
      .describe("Most bytes of this part; the server's own bound when absent."),
  }),
  effect: "reads",
  idempotent: true,
  run: async (ground, { path, offset, length }, signal) => {
    const place = placeOf(ground, path, "file");
    return withFile(ground, place, async (file) => {
      const start = startOf(offset, Number(file.stats.size));
      const part = await readText(file, start, Math.min(length ?? ground.maxRead, ground.maxRead), signal);
      if (part === undefined)
        throw new Refusal(
          `${shown(place.text)} is no UTF-8 text (${file.stats.size} bytes). read_binary reads what is no text.`,
        );
      return answer(part.text, ...where(part, file.stats.size, start));
    });
  },
});

interface Part {
  readonly text: string;
  /** Bytes of the file. */
  readonly from: number;
  readonly to: number;
  readonly more: boolean;
}

/** Whole characters, and whole lines where there is more. `undefined` when it is no text. */
export async function readText(
  file: Parameters<typeof readBytes>[0],
  start: number,
  length: number,
  signal: AbortSignal,
): Promise<Part | undefined> {
  // One byte more than wanted tells whether there is more.
  const read = await readBytes(file, start, length + 1, signal);
  const more = read.length > length;
  const piece = read.subarray(0, length);
  const first = start === 0 ? 0 : firstCharacter(piece);
  const whole = more ? piece.subarray(first, lastCharacter(piece)) : piece.subarray(first);
  const line = more ? whole.lastIndexOf(10) + 1 : 0;
  const bytes = line > 0 ? whole.subarray(0, line) : whole;
  const text = textOf(bytes);
  return text === undefined
    ? undefined
    : { text, from: start + first, to: start + first + bytes.length, more };
}

function where({ from, to, more }: Part, size: bigint, asked: number): string[] {
  if (more) return [`(bytes ${from} to ${to} of ${size}; go on with offset=${to})`];
  if (asked > 0 && to === from) return [`(nothing from byte ${asked}; the file has ${size} bytes)`];
  return from > 0 ? [`(bytes ${from} to ${to}, the end)`] : [];
}
