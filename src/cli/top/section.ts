import type { Line } from "./line.ts";
import { span } from "./line.ts";

/** A part of the screen that can be drawn in more or fewer lines. */
export interface Section {
  /** Lines without which it says nothing, and lines that it has to say. */
  readonly least: number;
  readonly wanted: number;
  /** At most so many lines. */
  readonly draw: (lines: number) => readonly Line[];
}

/** Lines that are drawn from the top; where there is no room for all of them, the last says how many are not there. */
export const listSection = (lines: readonly Line[], least: number, of: string): Section => ({
  least: Math.min(least, lines.length),
  wanted: lines.length,
  draw: (room) => {
    if (lines.length <= room) return lines;
    if (room < 1) return [];
    return [...lines.slice(0, room - 1), [span(`  … ${lines.length - room + 1} more ${of}`, "dim")]];
  },
});

/** Sections one under the other in at most `room` lines: each its least, then the first ones what they want. */
export function stacked(sections: readonly Section[], room: number): readonly Line[] {
  let left = room;
  const lines = sections.map(({ least }) => {
    const given = Math.min(least, left);
    left -= given;
    return given;
  });
  for (const [index, { wanted }] of sections.entries()) {
    const more = Math.min(Math.max(0, wanted - (lines[index] ?? 0)), left);
    lines[index] = (lines[index] ?? 0) + more;
    left -= more;
  }
  return sections.flatMap((section, index) => section.draw(lines[index] ?? 0));
}
