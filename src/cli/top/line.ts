import type { Style } from "../terminal.ts";
import { clip, columnsOf, oneLine } from "./cells.ts";

/** Text of one look. It holds no character that a terminal would take for an order. */
export interface Span {
  readonly text: string;
  readonly style?: Style;
}

/** One line of the screen, without its end. */
export type Line = readonly Span[];

/** Text of anybody as a span. */
export const span = (text: string, style?: Style): Span =>
  style === undefined ? { text: oneLine(text) } : { text: oneLine(text), style };

export const columnsOfLine = (line: Line): number =>
  line.reduce((columns, { text }) => columns + columnsOf(text), 0);

/** The line in at most `width` columns. */
export function fitted(line: Line, width: number): Line {
  if (columnsOfLine(line) <= width) return line;
  const kept: Span[] = [];
  let left = width;
  for (const one of line) {
    const columns = columnsOf(one.text);
    // Where this one fits but something follows that does not, the mark of the cut still needs its column.
    kept.push({ ...one, text: clip(columns === left ? `${one.text}…` : one.text, left) });
    left -= columns;
    if (left <= 0) break;
  }
  return kept;
}

/** Two ends of one line: the left one is cut where they do not fit together, and the right one goes where it is too long itself. */
export function apart(left: Line, right: Line, width: number): Line {
  const room = width - columnsOfLine(right) - 2;
  if (room < width / 2) return fitted(left, width);
  const kept = fitted(left, room);
  return [...kept, { text: " ".repeat(room + 2 - columnsOfLine(kept)) }, ...right];
}

/** The line as text, without its looks. */
export const textOf = (line: Line): string => line.map(({ text }) => text).join("");
