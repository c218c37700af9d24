import { hash, timingSafeEqual } from "node:crypto";
import type { Caller } from "./caller.ts";
import type { KeyRefusal } from "./key-gate.ts";
import type { KnownKey } from "./known-key.ts";

/** Everyone, on a node that never had a key. */
const EVERYONE: Caller = { key: "local", admin: true, upstream: true, priority: 5 };

const MISSING: KeyRefusal = {
  status: 401,
  code: "invalid_api_key",
  message: "This node asks for a key: send Authorization: Bearer KEY, or x-api-key: KEY.",
};
const UNKNOWN: KeyRefusal = {
  status: 401,
  code: "invalid_api_key",
  message: "The key is none of this node's; its owner lists them with ./omni keys list.",
};

/** Hexadecimal digits of a digest, and those of them that it is looked up by. */
const DIGITS = 64;
const SLOT = 8;

interface Entry {
  readonly digest: Buffer;
  readonly caller: Caller;
  readonly until: number;
  readonly expired: KeyRefusal;
}

/** The digest of a secret that is shown. */
interface Shown {
  slot: string;
  readonly digest: Buffer;
}

interface WrittenCaller {
  /** The caller as JSON, to see a change by. */
  readonly written: string;
  readonly caller: Caller;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/**
 * Who shows which secret. A node that never had a key is open; once it had one it is closed for good, so that the last
 * key's revocation does not open it: `ever` is told by the spec or by rows of the store, where revoked keys stay.
 */
export class KeyRoll {
  /**
   * By the first eight digits of the digest, then compared whole in constant time. Time tells at most those 32 bits of a
   * digest, from which no secret of 256 bits follows.
   */
  #entries = new Map<string, Entry[]>();
  /** Of who has no kin: a new buffer for each request would cost more than the hash. */
  readonly #stranger: Shown = { slot: "", digest: Buffer.alloc(DIGITS) };
  /** Of secrets that were shown lately, for as long as who showed them is known. */
  readonly #shown = new WeakMap<object, Shown>();
  /** One object a key for as long as nothing about it changes. */
  #callers = new Map<string, WrittenCaller>();
  #ever = false;

  /** The keys that are in force from now on. `ever`: keys were configured, though none may be in force. */
  set(keys: readonly KnownKey[], ever: boolean): void {
    this.#ever ||= ever || keys.length > 0;
    const entries = new Map<string, Entry[]>();
    const callers = new Map<string, WrittenCaller>();
    for (const { caller: told, digests } of keys) {
      const written = JSON.stringify(told);
      const before = this.#callers.get(told.key);
      const caller = before?.written === written ? before.caller : told;
      callers.set(told.key, {
        written,
        caller,
        until: Math.max(...digests.map(({ until = Infinity }) => until)),
      });
      for (const { digest: hex, until = Infinity } of digests) {
        const digest = Buffer.from(hex, "latin1");
        const entry: Entry = { digest, caller, until, expired: expiredAt(told.key, until) };
        const slot = hex.slice(0, SLOT);
        entries.set(slot, [...(entries.get(slot) ?? []), entry]);
      }
    }
    this.#entries = entries;
    this.#callers = callers;
  }

  /** The key of that name; `undefined` once it is none any more, or has expired. `now` in milliseconds since the epoch. */
  callerOf(name: string, now: number): Caller | undefined {
    if (this.open && name === EVERYONE.key) return EVERYONE;
    const known = this.#callers.get(name);
    return known !== undefined && now < known.until ? known.caller : undefined;
  }

  get open(): boolean {
    return !this.#ever;
  }

  /** `now` in milliseconds since the epoch; those who share `kin` show the same secret. */
  identify(secret: string | undefined, now: number, kin?: object): Caller | KeyRefusal {
    if (!this.#ever) return EVERYONE;
    if (secret === undefined) return MISSING;
    const shown = this.#shownBy(secret, kin);
    const entries = this.#entries.get(shown.slot);
    if (entries === undefined) return UNKNOWN;
    for (const { digest, caller, until, expired } of entries)
      if (timingSafeEqual(digest, shown.digest)) return now < until ? caller : expired;
    return UNKNOWN;
  }

  #shownBy(secret: string, kin: object | undefined): Shown {
    const known = kin === undefined ? undefined : this.#shown.get(kin);
    if (known !== undefined) return known;
    const digits = hash("sha256", secret, "hex");
    const shown = kin === undefined ? this.#stranger : { slot: "", digest: Buffer.alloc(DIGITS) };
    shown.slot = digits.slice(0, SLOT);
    shown.digest.write(digits, "latin1");
    if (kin !== undefined) this.#shown.set(kin, shown);
    return shown;
  }
}

function expiredAt(key: string, until: number): KeyRefusal {
  const when = Number.isFinite(until) ? new Date(until).toISOString().slice(0, 16).replace("T", " ") : "";
  return {
    status: 401,
    code: "key_expired",
    message: `The key ${key} expired at ${when} UTC; its owner makes a new one with ./omni keys rotate or create.`,
  };
}

/** Whether `found` is a refusal. */
export const isUnknown = (found: Caller | KeyRefusal): boolean => found === UNKNOWN;
