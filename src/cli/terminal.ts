import { stripVTControlCharacters, styleText } from "node:util";

export type Style = "bold" | "dim" | "red" | "yellow" | "green" | "cyan";

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

/**
 * Text without the characters that move a terminal's cursor, set its title or turn the direction of reading; colours stay.
 * Models, images, disks and servers choose names that are printed, and some choose them to hide what stands beside.
 */
export const withoutControl = (text: string): string =>
  text.replaceAll(/[^\P{Cc}\n\t](?:\[[\d;]*m)?|[\u202A-\u202E\u2066-\u2069]/gu, (found) =>
    found.startsWith("\u001B[") ? found : "",
  );

/** Programs that read what is printed get every character of it. */
const writer =
  (stream: NodeJS.WriteStream) =>
  (text: string): boolean =>
    stream.write(`${stream.isTTY ? withoutControl(text) : text}\n`);

/** The terminal of this process. Honours NO_COLOR, FORCE_COLOR and whether each stream is a terminal. */
export function processTerminal(): Terminal {
  return {
    out: writer(process.stdout),
    err: writer(process.stderr),
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
