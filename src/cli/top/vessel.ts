import type { Style } from "../terminal.ts";
import { clip, columnsOf, oneLine } from "./cells.ts";
import type { Line } from "./line.ts";

/** A part of a vessel that is taken. */
export interface Fill {
  readonly label: string;
  readonly bytes: number;
  readonly style?: Style;
}

const TAKEN = "▓";
const FREE = "·";
/** From this many columns on a part carries its name. */
const NAMED = 5;

/** A bar of exactly `width` columns that is filled part by part; each says whose it is where it is long enough. */
export function vesselLine(fills: readonly Fill[], total: number, width: number): Line {
  const room = Math.max(0, width - 2);
  const spans: { text: string; style?: Style }[] = [{ text: "[" }];
  let bytes = 0;
  let filled = 0;
  for (const { label, bytes: more, ...style } of fills) {
    bytes += more;
    const end = total > 0 ? Math.min(room, Math.round((bytes / total) * room)) : 0;
    if (end > filled) spans.push({ text: part(label, end - filled), ...style });
    filled = Math.max(filled, end);
  }
  spans.push({ text: `${FREE.repeat(room - filled)}]`.slice(0, Math.max(0, width - 1)) });
  return spans;
}

function part(label: string, width: number): string {
  if (width < NAMED) return TAKEN.repeat(width);
  const name = clip(oneLine(label), width - 2);
  return `${name}${TAKEN.repeat(width - columnsOf(name) - 1)}│`;
}
