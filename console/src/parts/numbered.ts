/** Things with their numbers, for lists whose items have no name and only come behind each other: the number is the key. */
export const numbered = <T>(items: readonly T[]): readonly { readonly item: T; readonly number: number }[] =>
  items.map((item, number) => ({ item, number }));
