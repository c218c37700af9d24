import { present } from "../core/index.ts";
import type { StoredKey } from "../store/stored-key.ts";
import type { Caller } from "./caller.ts";

/** A digest by which a caller is known, and until when. Plain data, so that it can be told to another process. */
export interface KnownDigest {
  /** SHA-256 of the secret, 64 hexadecimal digits. */
  readonly digest: string;
  /** Milliseconds since the epoch. */
  readonly until?: number;
}

/** One key that is in force: who shows its secret is the caller. */
export interface KnownKey {
  readonly caller: Caller;
  readonly digests: readonly KnownDigest[];
}

/** A key of the spec. Its digest is of the secret that its variable or file holds. */
export interface SpecKey {
  readonly caller: Caller;
  readonly digest: string;
  /** Milliseconds since the epoch. */
  readonly expires?: number;
}

export const knownSpecKey = ({ caller, digest, expires }: SpecKey): KnownKey => ({
  caller,
  digests: [{ digest, ...(expires === undefined ? {} : { until: expires }) }],
});

/** A stored key as a caller; `undefined` when it is revoked. The old secret of a rotation ends with the grace or the key. */
export function knownStoredKey({
  name,
  digest,
  may,
  expires,
  revoked,
  graced,
}: StoredKey): KnownKey | undefined {
  if (revoked !== undefined) return undefined;
  const old =
    graced === undefined
      ? []
      : [{ digest: graced.digest, until: Math.min(graced.until, expires ?? Infinity) }];
  return {
    caller: callerOf(name, may),
    digests: [{ digest, ...(expires === undefined ? {} : { until: expires }) }, ...old],
  };
}

function callerOf(
  key: string,
  { admin, upstream, priority, routes, tools, mcp, limits, content }: StoredKey["may"],
): Caller {
  return {
    key,
    admin,
    upstream,
    priority,
    ...(routes === undefined ? {} : { routes }),
    ...(tools === undefined ? {} : { tools }),
    ...(content === undefined ? {} : { content }),
    ...(mcp === undefined ? {} : { mcp: present(mcp) }),
    ...(limits === undefined ? {} : { limits: present(limits) }),
  };
}
