/** A text with every character that nobody sees written out: they turn the order of letters round, or hide some from a person. */
export const visibleText = (text: string): string =>
  text.replaceAll(
    /[\p{Cf}\p{Zl}\p{Zp}\u{e0000}-\u{e0fff}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
