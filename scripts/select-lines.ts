const indentOf = (line: string): number => line.search(/\S|$/);
const isBlank = (line: string): boolean => line.trim() === "";

/** The first line that begins with the text, else one that contains it, with what is indented deeper below it. */
function blockOf(lines: readonly string[], text: string): readonly string[] {
  const beginning = lines.findIndex((line) => line.startsWith(text));
  const start = beginning === -1 ? lines.findIndex((line) => line.includes(text)) : beginning;
  const first = lines[start];
  if (first === undefined) throw new Error(`no line contains ${JSON.stringify(text)}`);
  const below = lines
    .slice(start + 1)
    .findIndex((line) => !isBlank(line) && indentOf(line) <= indentOf(first));
  const block = lines.slice(start, below === -1 ? undefined : start + 1 + below);
  return block.slice(0, block.findLastIndex((line) => !isBlank(line)) + 1);
}

function rangeOf(lines: readonly string[], range: string): readonly string[] {
  const [, from, to] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
  const chosen = from === undefined ? [] : lines.slice(Number(from) - 1, Number(to ?? from));
  if (chosen.length === 0) throw new Error(`there are no lines ${range}`);
  return chosen;
}

function partOf(lines: readonly string[], selector: string): readonly string[] {
  const [, verb, wanted = ""] = /^(block|lines) (.+)$/.exec(selector) ?? [];
  if (verb === undefined) throw new Error(`${JSON.stringify(selector)} is neither "block …" nor "lines …"`);
  return verb === "block" ? blockOf(lines, wanted) : rangeOf(lines, wanted);
}

/**
 * The parts of a text that selectors name, set apart by the gap: `block A` (the first line that begins with A, or has
 * it, and what is indented below it) or `lines 3-20`, several with "; " between. All of it without a selector. Throws where a part is not there.
 */
export function selectLines(text: string, selectors: string | undefined, gap: string): string {
  if (selectors === undefined) return text.trimEnd();
  const lines = text.split("\n");
  const parts = selectors.split("; ").map((selector) => partOf(lines, selector).join("\n"));
  return parts.join(`\n${gap}\n`);
}
