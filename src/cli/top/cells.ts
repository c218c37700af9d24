import { stripVTControlCharacters } from "node:util";

/**
 * Terminals give these two columns: East Asian wide and fullwidth characters (Unicode's EastAsianWidth.txt) and emoji.
 * Taking one too many for wide costs a blank, one too few would break the line.
 */
const WIDE =
  /[\u1100-\u115F\u2329\u232A\u2630-\u2637\u268A-\u268F\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97C\uAC00-\uD7A3\uF900-\uFAFF\uFE10-\uFE19\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6\u{16FE0}-\u{1B2FB}\u{1D300}-\u{1D376}\u{1F200}-\u{1FAFF}\u{20000}-\u{3FFFD}]|\p{Emoji_Presentation}/u;
/** Marks are drawn onto the character before them. */
const MARK = /\p{M}/u;

/** Controls, formats, what turns the direction of reading, lone surrogates, unassigned and invisible characters. */
const UNSEEN = /\p{C}|\p{Default_Ignorable_Code_Point}|\p{Zl}|\p{Zp}/gu;
const BLANKS = /[^\S ]/gu;

/** Text of anybody as part of one line: every blank is a space, and what moves, hides or turns text is left out. */
export const oneLine = (text: string): string =>
  stripVTControlCharacters(text).replaceAll(BLANKS, " ").replaceAll(UNSEEN, "");

/** Columns that a text takes on a terminal; it is one of `oneLine`. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += columnsOfCharacter(character);
  return columns;
}

const columnsOfCharacter = (character: string): number => {
  if (character < "\u0300") return 1;
  if (MARK.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
};

/** The text in at most `width` columns; what is cut off ends in `…`. */
export function clip(text: string, width: number): string {
  if (columnsOf(text) <= width) return text;
  if (width < 1) return "";
  let kept = "";
  let columns = 0;
  for (const character of text) {
    columns += columnsOfCharacter(character);
    if (columns > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/** The text in exactly `width` columns, to the left or the right. */
export function pad(text: string, width: number, to: "left" | "right" = "left"): string {
  const clipped = clip(text, width);
  const blanks = " ".repeat(Math.max(0, width - columnsOf(clipped)));
  return to === "left" ? clipped + blanks : blanks + clipped;
}
