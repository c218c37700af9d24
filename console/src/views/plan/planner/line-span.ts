/** Where a line of a text begins and ends; lines count from 1. One beyond the text is its end. */
export function lineSpan(text: string, line: number): readonly [from: number, to: number] {
  const lines = text.split("\n");
  const from = lines.slice(0, line - 1).reduce((sum, { length }) => sum + length + 1, 0);
  return line > lines.length ? [text.length, text.length] : [from, from + (lines[line - 1]?.length ?? 0)];
}
