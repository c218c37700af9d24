import { z } from "zod";
import { pathText } from "../client-path.ts";
import { foldName, foldText } from "../fold.ts";
import { charactersOf, compileGlob } from "../glob.ts";
import { openFolder, pinFile, placeOf } from "../ground.ts";
import { refusalOf } from "../refusal.ts";
import { linearRegex } from "../search/linear-regex.ts";
import { searchLines } from "../search/search-lines.ts";
import { answer } from "../text.ts";
import { walk, walkBudget, type Budget, type Step } from "../walk.ts";
import { fileTool, folderPath } from "./file-tool.ts";

/** Bytes that one search reads at most. */
const MOST_BYTES = 256 << 20;
const LONGEST_SHOWN = 300;

const schema = z.strictObject({
  path: folderPath(),
  query: z.string().min(1).max(500).describe("Text, or a regular expression."),
  regex: z
    .boolean()
    .default(false)
    .describe("Take the query as a regular expression as RE2 has it: no back references, no looking around."),
  ignore_case: z.boolean().default(false).describe("Upper and lower case are one."),
  files: z.string().min(1).max(500).optional().describe("Glob of the files to search, such as *.md."),
  limit: z.int().min(1).max(1000).default(100).describe("Most lines."),
});

export const searchContent = fileTool({
  name: "search_content",
  title: "Find text in files",
  description:
    "Finds lines of text files beneath a folder. Each result is path:line (byte): text, and the byte can be given to read_file as " +
    "its offset. Matching takes time linear in the text. At most 100 000 entries, 256 MiB and 10 s.",
  schema,
  effect: "reads",
  idempotent: true,
  run: async (ground, args, signal) => {
    const place = placeOf(ground, args.path, "folder");
    const wanted = fileFilter(args.files, place.names.length);
    const search = { matches: matcher(args), budget: walkBudget(signal), bytes: { left: MOST_BYTES } };
    const found: string[] = [];
    await using folder = await openFolder(ground, place);
    try {
      for await (const step of walk(ground, folder, place, search.budget)) {
        if (step.entry.kind !== "file" || !wanted(step.names)) continue;
        await searchFile(place.root, step, search, found, args.limit);
        if (search.bytes.left <= 0)
          search.budget.cut ??= "the search ended after the most bytes that one may read";
        if (found.length > args.limit || search.bytes.left <= 0) break;
      }
    } catch (error) {
      throw refusalOf(error, place.text);
    }
    const more =
      found.length > args.limit ? `there are more; the first ${args.limit} are shown` : search.budget.cut;
    return answer(
      ...(found.length === 0 ? ["Nothing was found."] : found.slice(0, args.limit)),
      ...(more === undefined ? [] : [`(${more})`]),
    );
  },
});

function matcher({ query, regex, ignore_case }: z.output<typeof schema>): (line: string) => boolean {
  if (regex) return linearRegex(query, ignore_case);
  if (!ignore_case) return (line) => line.includes(query);
  const lower = query.toLowerCase();
  return (line) => line.toLowerCase().includes(lower);
}

function fileFilter(files: string | undefined, known: number): (names: readonly string[]) => boolean {
  if (files === undefined) return () => true;
  const glob = compileGlob(foldText(files));
  return (names) =>
    glob.matches(
      (glob.path ? names.slice(known) : names.slice(-1)).map((name) => charactersOf(foldName(name))),
    );
}

interface Search {
  readonly matches: (line: string) => boolean;
  readonly budget: Budget;
  readonly bytes: { left: number };
}

/** Adds the file's lines, up to one more than `limit`. A file that cannot be read has none. */
async function searchFile(
  root: string,
  { folder, entry, names }: Step,
  { matches, budget, bytes }: Search,
  found: string[],
  limit: number,
): Promise<void> {
  const path = pathText(root, names);
  try {
    await using file = await pinFile(folder, entry.name, path);
    for await (const { number, offset, text } of searchLines(file, matches, budget, bytes)) {
      found.push(
        `${path}:${number} (${offset}): ${text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text}`,
      );
      if (found.length > limit) return;
    }
  } catch (error) {
    // Throws what is no error of the system: an abort ends the search, a file that is gone does not.
    refusalOf(error, path);
  }
}
