/** A number of things for a person: whole, digits in groups of three (`32 768`). */
export const formatCount = (value: number): string =>
  Math.floor(value)
    .toString()
    .replaceAll(/\B(?=(?:\d{3})+$)/g, " ");
