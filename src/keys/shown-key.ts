import { present } from "../core/index.ts";
import type { KeyMay, StoredKey } from "../store/stored-key.ts";

/** A key as lists show it: without its secret and without its digest. Times are milliseconds since the epoch. */
export interface ShownKey {
  readonly name: string;
  readonly source: "store" | "spec";
  readonly state: "in force" | "expired" | "revoked" | "unset";
  /** How the secret begins. */
  readonly prefix?: string;
  readonly may: KeyMay;
  readonly created?: number;
  readonly expires?: number;
  readonly revoked?: number;
  readonly rotated?: number;
  readonly oldSecretUntil?: number;
}

/** A key as a spec describes it: what it may do, when it ends, and where its secret lies. */
export type KeyOfSpec = KeyMay & {
  readonly expires?: number | undefined;
  readonly env?: string | undefined;
  readonly file?: string | undefined;
};

/** A stored key without what may not be shown. `now` in milliseconds since the epoch. */
export function shownStored(key: StoredKey, now: number): ShownKey {
  const { name, prefix, may, created, expires, revoked, rotated, graced } = key;
  return {
    name,
    source: "store",
    state: revoked === undefined ? stateAt(expires, now) : "revoked",
    prefix,
    may,
    created,
    ...present({
      expires,
      revoked,
      rotated,
      oldSecretUntil: graced !== undefined && graced.until > now ? graced.until : undefined,
    }),
  };
}

/** The keys of a spec; one whose name is not in `set` has no secret here. `now` in milliseconds since the epoch. */
export const shownOfSpec = (
  keys: Readonly<Record<string, KeyOfSpec>>,
  set: ReadonlySet<string>,
  now: number,
): readonly ShownKey[] =>
  Object.entries(keys).map(([name, { expires, env: _env, file: _file, ...may }]) => ({
    name,
    source: "spec",
    state: set.has(name) ? stateAt(expires, now) : "unset",
    may,
    ...present({ expires }),
  }));

const stateAt = (expires: number | undefined, now: number): "expired" | "in force" =>
  expires !== undefined && expires <= now ? "expired" : "in force";
