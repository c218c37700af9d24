/** Tokens for a person: digits in groups of three (`32 768`). */
export const formatTokens = (tokens: number): string =>
  Math.floor(tokens)
    .toString()
    .replaceAll(/\B(?=(?:\d{3})+$)/g, " ");
