/** A document as its owner typed it. */
export type Plain = Readonly<Record<string, unknown>>;

export const isPlain = (value: unknown): value is Plain =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The map under a key; an empty one where there is none. */
export const plainAt = (typed: Plain, key: string): Plain => {
  const value = typed[key];
  return isPlain(value) ? value : {};
};
