import type { KeyMay, Rotation, StoredKey } from "../store/stored-key.ts";
import { digestOf, newSecret, prefixOf } from "./key-secret.ts";

/** What a new key is to be. Times are milliseconds since the epoch. */
export interface WantedKey {
  readonly name: string;
  readonly may: KeyMay;
  readonly expires?: number | undefined;
}

/** A key as it is stored, and its secret, which nothing keeps. `now` in milliseconds since the epoch. */
export function newKey(
  { name, may, expires }: WantedKey,
  now: number,
): { readonly key: StoredKey; readonly secret: string } {
  const secret = newSecret();
  const key = { name, digest: digestOf(secret), prefix: prefixOf(secret), may, created: now };
  return { key: expires === undefined ? key : { ...key, expires }, secret };
}

/** Another secret for a key; the old one is good for `grace` ms more, and ends at once where that is 0. */
export function newRotation(
  grace: number,
  now: number,
): { readonly rotation: Rotation; readonly secret: string } {
  const secret = newSecret();
  const rotation = { digest: digestOf(secret), prefix: prefixOf(secret), at: now };
  return { rotation: grace === 0 ? rotation : { ...rotation, graceUntil: now + grace }, secret };
}
