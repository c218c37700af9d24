import { stripVTControlCharacters, styleText } from "node:util";

type Style = "bold" | "dim" | "red" | "yellow" | "green" | "cyan";

/** Where a command writes: `out` is the answer, `err` is everything said about it. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Whether `out` is a terminal, where colours, progress and prompts make sense. */
  readonly interactive: boolean;
  /** Columns of the terminal; 80 when unknown. */
  readonly columns: number;
  /** Colours the text for `out`, or returns it as it is where colour is not wanted. */
  readonly style: (style: Style, text: string) => string;
  /** The same for `err`. */
  readonly styleErr: (style: Style, text: string) => string;
}

const paint =
  (stream: NodeJS.WriteStream) =>
  (style: Style, text: string): string =>
    styleText(style, text, { stream, validateStream: true });

/** The terminal of this process. Honours NO_COLOR, FORCE_COLOR and whether each stream is a terminal. */
export function processTerminal(): Terminal {
  return {
    out: (text) => process.stdout.write(`${text}\n`),
    err: (text) => process.stderr.write(`${text}\n`),
    interactive: process.stdout.isTTY,
    columns: process.stdout.columns || 80,
    style: paint(process.stdout),
    styleErr: paint(process.stderr),
  };
}

/** Columns padded to their widest cell, two spaces between, no trailing blanks. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, visible(cell))));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - visible(cell)))
      .join("  ")
      .trimEnd();
  return rows.map(line).join("\n");
}

// Colour sequences take no columns.
const visible = (text: string): number => stripVTControlCharacters(text).length;
