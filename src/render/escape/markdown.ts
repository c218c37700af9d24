/** A text as Markdown that shows it as it is, on one line: nothing of it becomes a heading, a link, code or HTML. */
export const markdownText = (text: string): string =>
  text
    .replaceAll(/[\s\u0085\u2028\u2029]+/g, " ")
    // oxlint-disable-next-line no-control-regex -- they are what is taken out
    .replaceAll(/[\u0000-\u001f\u007f]/g, "")
    .replaceAll(/[\\`*_[\]<>|~&]/g, (character) => `\\${character}`)
    .replace(/^(\s*)([#+-])/, "$1\\$2")
    .replace(/^(\s*\d+)([.)])/, "$1\\$2")
    .trim();

/**
 * A text as a code span of Markdown (CommonMark 6.1): fenced by more backticks than it has in a row, on one line. Control
 * characters and line breaks become spaces, because a code span shows them as such anyway.
 */
export function codeSpan(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is taken out
  const line = text.replaceAll(/[\u0000-\u001f\u007f\u0085\u2028\u2029]+/g, " ");
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  const padded = /^[` ]|[` ]$/.test(line) || line === "" ? ` ${line} ` : line;
  return `${fence}${padded}${fence}`;
}

/** A text as a code block of Markdown, fenced by more backticks than it has in a row, so that nothing within it ends it. */
export function codeBlock(text: string, language: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}
