/** Items of one list of one server at most, and bytes of them together: more is a fault or an attack. */
const MOST_ITEMS = 5000;
const MOST_BYTES = 4 * 1024 * 1024;
/** Bytes of one item: a tool of half a megabyte is no tool, and must not push the others out. */
const MOST_OF_ONE = 512 * 1024;
/** Bytes of what one answer lists over all servers: below the 10 MiB that stdio takes in one message. */
export const MOST_LISTED = 8 * 1024 * 1024;

/** As many items as one server may have, in its order; one that cannot be written as JSON is left out. */
export const listBound = <T>(items: readonly T[]): readonly T[] => within(items, MOST_BYTES, MOST_ITEMS);

/** The first items that fit. */
export function within<T>(items: readonly T[], bytes: number, most = Number.POSITIVE_INFINITY): readonly T[] {
  const taken: T[] = [];
  let used = 0;
  for (const item of items) {
    const size = sizeOf(item);
    if (size === undefined || size > MOST_OF_ONE) continue;
    used += size + 1;
    if (used > bytes || taken.length >= most) break;
    taken.push(item);
  }
  return taken;
}

/** Levels of anything that is passed on: readers of JSON that call themselves for each level break on more. */
const MOST_LEVELS = 128;

/** Bytes of a value as JSON; `undefined` where it cannot be passed on because it is nested too deeply. */
export function sizeOf(value: unknown): number | undefined {
  if (isDeeper(value, MOST_LEVELS)) return undefined;
  try {
    return Buffer.byteLength(JSON.stringify(value) ?? "");
  } catch {
    return undefined;
  }
}

/** Level by level, so that no depth is too much for the looking itself. */
function isDeeper(value: unknown, levels: number): boolean {
  let level: object[] = typeof value === "object" && value !== null ? [value] : [];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > levels) return true;
    const next: object[] = [];
    for (const holder of level)
      for (const member of Array.isArray(holder) ? holder : Object.values(holder))
        if (typeof member === "object" && member !== null) next.push(member);
    level = next;
  }
  return false;
}
