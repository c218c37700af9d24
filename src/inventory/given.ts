/**
 * The keys that `make` builds from a value, or none without a value: what could not be read is absent from an
 * inventory, never `undefined`, empty or zero.
 */
export const given = <T, O extends object>(value: T | undefined, make: (value: T) => O): Partial<O> =>
  value === undefined ? {} : make(value);
