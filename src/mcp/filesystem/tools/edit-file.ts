import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";
import { z } from "zod";
import { changeFile } from "../change-file.ts";
import { writablePlace } from "../ground.ts";
import { absent, Refusal, shown } from "../refusal.ts";
import { answer, textOf } from "../text.ts";
import { filePath, fileTool } from "./file-tool.ts";

const MOST_EDITS = 100;
/** Milliseconds in which a difference must be found; two texts with nothing in common take longer. */
const LONGEST_DIFF = 500;

const edit = z.strictObject({
  old_text: z.string().min(1).describe("Text as it is in the file, with its spaces and line breaks."),
  new_text: z.string().describe("Text to stand in its place."),
  all: z
    .boolean()
    .default(false)
    .describe("Replace every place; else the old text must be there exactly once."),
});

export const editFile = fileTool({
  name: "edit_file",
  title: "Edit a text file",
  description:
    "Replaces exact pieces of a text file, one edit after the other, all or none, and answers with the difference. With dry_run " +
    "nothing is changed. The previous version is kept (list_versions).",
  schema: z.strictObject({
    path: filePath(),
    edits: z.array(edit).min(1).max(MOST_EDITS).describe("Replacements in their order."),
    dry_run: z.boolean().default(false).describe("Only show the difference."),
  }),
  effect: "replaces",
  idempotent: false,
  run: async (ground, { path, edits, dry_run }, signal) => {
    const place = writablePlace(ground, path, "file");
    let before = "";
    let after = "";
    await changeFile(
      ground,
      place,
      ({ bytes }) => {
        if (bytes === undefined) throw absent(place.text);
        const text = textOf(bytes);
        if (text === undefined)
          throw new Refusal(`${shown(place.text)} is no UTF-8 text, so it cannot be edited.`);
        before = text;
        after = edits.reduce((done, one, index) => replaced(done, one, index + 1, ground.maxWrite), text);
        if (!after.isWellFormed())
          throw new Refusal("The new text is not valid Unicode. Nothing was changed.");
        return dry_run || after === before ? undefined : Buffer.from(after);
      },
      signal,
    );
    if (after === before) return answer(`${place.text}: the edits change nothing.`);
    return answer(
      dry_run ? `${place.text} would change so; nothing was changed:` : `${place.text} was changed:`,
      difference(place.text, before, after, ground.maxRead),
    );
  },
});

/** Takes the file's own line breaks where it has them all as CRLF and the edit has not. */
function replaced(
  text: string,
  { old_text, new_text, all }: z.output<typeof edit>,
  number: number,
  most: number,
): string {
  const crlf = /\r\n/.test(text) && !/(?<!\r)\n/.test(text) && !old_text.includes("\r");
  const [wanted, put] = crlf
    ? [old_text.replaceAll("\n", "\r\n"), new_text.replaceAll(/\r?\n/g, "\r\n")]
    : [old_text, new_text];
  const pieces = text.split(wanted);
  const places = pieces.length - 1;
  if (places === 0)
    throw new Refusal(
      `Edit ${number}: its old text is not in the file. Nothing was changed; read the file again and copy the text exactly.`,
    );
  if (places > 1 && !all)
    throw new Refusal(
      `Edit ${number}: its old text is in the file ${places} times. Nothing was changed; give more of what stands around it, or all: true.`,
    );
  if (text.length + places * (put.length - wanted.length) > most)
    throw new Refusal(`Edit ${number}: the file would have more than ${most} bytes. Nothing was changed.`);
  return pieces.join(put);
}

function difference(path: string, before: string, after: string, most: number): string {
  const patch = createTwoFilesPatch(path, path, before, after, undefined, undefined, {
    context: 3,
    headerOptions: FILE_HEADERS_ONLY,
    timeout: LONGEST_DIFF,
  });
  if (patch === undefined)
    return `(too different to show: ${before.length} characters before, ${after.length} after)`;
  return patch.length > most ? `${patch.slice(0, most)}\n(the difference goes on)` : patch;
}
