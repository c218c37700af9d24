/**
 * Excerpts in documents that cannot rot: a fenced block below one of these comments is written by `npm run docs` and
 * compared by `npm run docs:check`. Selectors (see `selectLines`) behind ` | ` take parts of it.
 *
 *   <!-- run: ./omni plan examples/laptop.yaml | block SERVICES -->             what a command prints
 *   <!-- file: examples/laptop.yaml | block services: -->                       a file, or a part of it
 *   <!-- diff: examples/x.yaml examples/x.fixed.yaml | block boot: -->          two files without their comments
 *   <!-- include: docs/comparison.md short -->…<!-- end -->                     what stands there as <!-- part: short -->
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { structuredPatch } from "diff";
import { COMMANDS } from "../src/cli/commands/index.ts";
import { inProcess } from "../test/fakes/command-in-process.ts";
import { selectLines } from "./select-lines.ts";

const ROOT = join(import.meta.dirname, "..");
const DIRECTIVE = /^<!-- (run|file|diff): (.+?)(?: \| (.+?))? -->\n(?:```[^\n]*\n[\s\S]*?^```\n)?/gm;
const INCLUDE = /^<!-- include: (\S+) (\S+) -->\n[\s\S]*?^<!-- end -->$/gm;

const readText = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const outputs = new Map<string, Promise<string>>();

/** What a command prints, from this process: its answer, then what it says about it. */
async function run(line: string): Promise<string> {
  const [program, name, ...args] = line.split(" ");
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (program !== "./omni" || command === undefined) throw new Error(`${line} is no command of Omni's`);
  const { stdout, stderr } = await inProcess(command, args);
  return `${stdout}${stderr}`;
}

async function ran(line: string, selector: string | undefined): Promise<string> {
  const output = outputs.get(line) ?? run(line);
  outputs.set(line, output);
  return fenced("", `$ ${line}\n${selectLines(await output, selector, "…")}`);
}

function fileExcerpt(path: string, selector: string | undefined): string {
  return fenced(path.replace(/^.*\./, ""), selectLines(readText(path), selector, "# …"));
}

// Why something changed is told in the document's own words; "was …" comments would be most of the lines.
const withoutComments = (text: string): string =>
  text
    .split("\n")
    .filter((line) => !/^\s*#/.test(line))
    .map((line) => line.replace(/\s+#.*$/, ""))
    .join("\n");

function difference(paths: string, selector: string | undefined): string {
  const [before = "", after = ""] = paths
    .split(" ")
    .map((path) => selectLines(withoutComments(readText(path)), selector, ""));
  const { hunks } = structuredPatch("", "", `${before}\n`, `${after}\n`, "", "", { context: 1 });
  return fenced("diff", hunks.map(({ lines }) => lines.join("\n")).join("\n …\n"));
}

const fenced = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\`\n`;

async function excerpt(kind: string, subject: string, selector: string | undefined): Promise<string> {
  if (kind === "run") return ran(subject, selector);
  return kind === "file" ? fileExcerpt(subject, selector) : difference(subject, selector);
}

function part(path: string, name: string): string {
  const found = new RegExp(`^<!-- part: ${name} -->\\n([\\s\\S]*?)^<!-- end -->$`, "m").exec(readText(path));
  if (found?.[1] === undefined) throw new Error(`${path} has no part ${name}`);
  return found[1];
}

/** A document's text with every excerpt as it is now. Throws where a file, a command or the wanted part is not there. */
export async function withExcerpts(text: string): Promise<string> {
  const written: string[] = [];
  let end = 0;
  for (const match of text.matchAll(DIRECTIVE)) {
    const [whole, kind = "", subject = "", selector] = match;
    const comment = whole.slice(0, whole.indexOf("\n") + 1);
    const block = await excerpt(kind, subject, selector).catch((cause: unknown) => {
      throw new Error(`${comment.trim()} cannot be written`, { cause });
    });
    written.push(text.slice(end, match.index), comment, block);
    end = match.index + whole.length;
  }
  return [...written, text.slice(end)]
    .join("")
    .replaceAll(
      INCLUDE,
      (_whole, from: string, name: string) =>
        `<!-- include: ${from} ${name} -->\n${part(from, name)}<!-- end -->`,
    );
}
