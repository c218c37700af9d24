/** Whether a character, by its code point, is one of a set. */
export type CharacterSet = (code: number) => boolean;

type Ranges = readonly (readonly [from: number, to: number])[];

export const classOf =
  (ranges: Ranges, negated = false): CharacterSet =>
  (code) =>
    ranges.some(([from, to]) => code >= from && code <= to) !== negated;

const DIGITS: Ranges = [[48, 57]];
const WORD: Ranges = [
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
];
const SPACE: Ranges = [
  [9, 13],
  [32, 32],
  [0xa0, 0xa0],
  [0x2028, 0x2029],
  [0xfeff, 0xfeff],
];

/** A character of a word as `\w` and `\b` mean it: letters and digits of ASCII, and `_`. */
export const isWord = classOf(WORD);

/** The set that `\d`, `\W` and their like stand for. */
export function escapedClass(letter: string): CharacterSet | undefined {
  const ranges = { d: DIGITS, w: WORD, s: SPACE }[letter.toLowerCase()];
  return ranges === undefined ? undefined : classOf(ranges, letter !== letter.toLowerCase());
}

/** The same set in which upper and lower case of a letter are one. */
export const anyCase =
  (set: CharacterSet): CharacterSet =>
  (code) => {
    if (set(code)) return true;
    const text = String.fromCodePoint(code);
    return set(text.toLowerCase().codePointAt(0) ?? code) || set(text.toUpperCase().codePointAt(0) ?? code);
  };
