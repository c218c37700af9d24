/**
 * Text that a file or a server chose, for a message: in quotes, short, and without the characters that a terminal would
 * obey or that turn the direction of reading.
 */
export const shown = (text: string, most = 80): string =>
  JSON.stringify(text.length > most ? `${text.slice(0, most)}…` : text).replaceAll(
    /\p{C}/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );

/** The same for a name that is shown by itself; `undefined` when nothing is left of it. */
export const displayName = (text: string): string | undefined =>
  text
    .slice(0, 200)
    .replaceAll(/[\p{C}\s]+/gu, " ")
    .trim() || undefined;
