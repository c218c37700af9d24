import { GIB, MIB } from "../core/index.ts";

/** A value of a spec as it is typed. */
export type Typed = string | number | boolean | readonly Typed[] | TypedMap;
export interface TypedMap {
  readonly [key: string]: Typed;
}

/** A part of a spec with what is said about it: `about` stands above it, `leftOut` is listed below it as comments. */
export interface Section {
  readonly value: TypedMap;
  /** By key of the section, for a person. */
  readonly about: Readonly<Record<string, string>>;
  readonly leftOut: readonly string[];
}

/** Bytes as whole GiB or MiB, as a person would type them; never more than there is, never nothing. */
export const amount = (bytes: number): string =>
  bytes >= GIB && bytes % GIB === 0 ? `${bytes / GIB}GiB` : `${Math.max(1, Math.floor(bytes / MIB))}MiB`;

/** An identity may stand in a spec once; cheap disks and virtual machines share theirs. */
export class Claims {
  readonly #taken = new Set<string>();

  once<T extends string | number>(
    kind: string,
    value: T | undefined,
    form = /^/,
    identity: (text: string) => string = (text) => text,
  ): T | undefined {
    if (value === undefined || !form.test(String(value))) return undefined;
    const key = `${kind} ${identity(String(value)).toLowerCase()}`;
    if (this.#taken.has(key)) return undefined;
    this.#taken.add(key);
    return value;
  }
}

/** The keys that have a value. */
export function present(values: Readonly<Record<string, Typed | undefined>>): TypedMap {
  const kept: Record<string, Typed> = {};
  for (const [key, value] of Object.entries(values)) if (value !== undefined) kept[key] = value;
  return kept;
}

export const within = (value: number | undefined, most: number, least = 1): number | undefined =>
  value !== undefined && Number.isInteger(value) && value >= least && value <= most ? value : undefined;

/** Names of hardware without control characters and padding; `undefined` when nothing is left. */
export const text = (name: string | undefined): string | undefined =>
  name?.replaceAll(/\p{C}/gu, " ").replaceAll(/\s+/g, " ").trim() || undefined;

/** Whether a spec can hold a path as it is: no text with a syntax of its own is longer, or has control characters. */
export const isTypeable = (path: string): boolean =>
  path.length <= 2000 && !/\p{C}|\u2028|\u2029|\uFFFD/u.test(path);
