type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The keys that have a value: an optional key is absent rather than `undefined`, so that nothing renders it. */
export function present<T extends object>(given: T): Present<T> {
  const kept: Present<T> = {};
  for (const key in given) {
    const value = given[key];
    if (isGiven(value)) kept[key] = value;
  }
  return kept;
}

const isGiven = <V>(value: V): value is Exclude<V, undefined> => value !== undefined;
