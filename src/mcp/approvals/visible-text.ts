/**
 * Text of others that a person will read: control characters, escapes of terminals, characters that turn the direction of
 * writing or that cannot be seen are written as their numbers, so that the text cannot pose as something beside it.
 * At most `most` characters of it, and how many there were.
 */
export function visible(text: string, most: number): string {
  let shown = "";
  let count = 0;
  for (const character of text) {
    if (count++ >= most) return `${shown}… (${text.length} characters)`;
    shown += HIDDEN.test(character) ? escaped(character) : character;
  }
  return shown;
}

/** Controls, formats (bidi, zero width, tags), lone surrogates, private use, unassigned, line separators, odd spaces. */
const HIDDEN = /\p{C}|\p{Zl}|\p{Zp}|[^\P{Zs} ]|\p{Default_Ignorable_Code_Point}|\u2800/u;

const escaped = (character: string): string =>
  character === "\n"
    ? String.raw`\n`
    : character === "\t"
      ? String.raw`\t`
      : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
