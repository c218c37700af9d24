import { hash } from "node:crypto";

import { createLocalJWKSet } from "jose";
import type { LocalJWKSet } from "jose";
import { z } from "zod";

import { messageOf } from "../../core/index.ts";
import { FetchFailure } from "./bounded-fetch.ts";
import type { Fetch } from "./bounded-fetch.ts";
import { findSigningKeys, jsonOf } from "./issuer-metadata.ts";

/** Milliseconds. */
const FRESH = 600_000;
/** How long keys stand for an issuer that cannot be asked; then nobody knows what it still vouches for. */
const KEPT = 3_600_000;
/** Between two fetches that unknown keys, failures or age can cause. */
const INTERVAL = 30_000;
/** The same while there are no keys at all, and nothing works without them. */
const FIRST_INTERVAL = 2000;

/** `oct` keys are secrets: a set that publishes one would let everybody sign. */
const keysSchema = z.object({
  keys: z
    .array(z.looseObject({ kty: z.string() }))
    .max(100)
    .transform((keys) => keys.filter(({ kty }) => kty !== "oct")),
});

/** Thrown while nobody can say whether a token is good. */
export class IssuerDown extends Error {
  override readonly name = "IssuerDown";
  /** Seconds. */
  readonly retryAfter: number;

  constructor(message: string, retryAfter: number) {
    super(message);
    this.retryAfter = retryAfter;
  }
}

/** The keys that an issuer published at one time. */
export interface KeySet {
  readonly set: LocalJWKSet;
  /** Stands for these keys, and no others. */
  readonly generation: string;
}

interface Held extends KeySet {
  readonly at: number;
}

interface SigningKeysOptions {
  readonly issuer: string;
  /** Where they are; by the issuer's metadata when absent. */
  readonly jwks: string | undefined;
  /** Bounded. */
  readonly fetch: Fetch;
  readonly now: () => number;
  /** Told when the issuer can no longer be asked (why), and when it can be again (`undefined`). */
  readonly onTrouble: (reason: string | undefined) => void;
}

/**
 * The signing keys of an issuer: fetched when first needed, refreshed in the background after 10 minutes of use, used for an
 * hour at most while it cannot be asked. Idle, it costs nothing: there is no timer.
 */
export class SigningKeys {
  readonly #options: SigningKeysOptions;
  #held: Held | undefined;
  #found: string | undefined;
  #tried = -Infinity;
  #running: Promise<Held> | undefined;
  #trouble: string | undefined;

  constructor(options: SigningKeysOptions) {
    this.#options = options;
    this.#found = options.jwks;
  }

  /** Stands for the set of keys that is in force; another one after any change, and `undefined` while there is none. */
  get generation(): string | undefined {
    const held = this.#held;
    if (held === undefined) return undefined;
    const age = this.#age(held);
    if (age < FRESH) return held.generation;
    if (this.#mayTry()) this.#fetch().catch(() => undefined);
    return age < KEPT ? held.generation : undefined;
  }

  /** The keys in force. Rejects with `IssuerDown`. */
  async current(): Promise<KeySet> {
    if (this.generation !== undefined && this.#held !== undefined) return this.#held;
    return await this.#fetched();
  }

  /** The keys after another look, where one is due; `undefined` when the last one was a moment ago. Rejects with `IssuerDown`. */
  async lookedAgain(): Promise<KeySet | undefined> {
    if (this.#running === undefined && !this.#mayTry() && this.#trouble === undefined) return undefined;
    return await this.#fetched();
  }

  /** A clock that was set back makes everything old rather than young. */
  #age({ at }: Held): number {
    const age = this.#options.now() - at;
    return age < 0 ? Infinity : age;
  }

  #mayTry(): boolean {
    return this.#wait() === 0;
  }

  /** Milliseconds until the next fetch is due. */
  #wait(): number {
    const since = this.#options.now() - this.#tried;
    const interval = this.#held === undefined ? FIRST_INTERVAL : INTERVAL;
    return since < 0 || since >= interval ? 0 : interval - since;
  }

  async #fetched(): Promise<Held> {
    const wait = this.#wait();
    if (this.#running === undefined && wait > 0) {
      throw new IssuerDown(this.#trouble ?? "asked a moment ago", Math.ceil(wait / 1000));
    }
    try {
      return await this.#fetch();
    } catch (thrown) {
      throw new IssuerDown(messageOf(thrown), Math.max(1, Math.ceil(this.#wait() / 1000)));
    }
  }

  #fetch(): Promise<Held> {
    this.#running ??= this.#load().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #load(): Promise<Held> {
    const { issuer, jwks, fetch, now } = this.#options;
    this.#tried = now();
    try {
      this.#found ??= await findSigningKeys(issuer, fetch);
      const response = await fetch(this.#found, { headers: { accept: "application/json" } });
      if (!response.ok) throw new FetchFailure(`${this.#found} answers ${response.status}`);
      const read = keysSchema.safeParse(await jsonOf(response, this.#found));
      if (!read.success) throw new FetchFailure(`${this.#found} holds no set of at most 100 keys`);
      if (read.data.keys.length === 0) throw new FetchFailure(`${this.#found} holds no public key`);
      const generation = hash("sha256", JSON.stringify(read.data.keys), "hex");
      const set = this.#held?.generation === generation ? this.#held.set : createLocalJWKSet(read.data);
      this.#held = { set, generation, at: now() };
      this.#tell(undefined);
      return this.#held;
    } catch (thrown) {
      // Where they are is asked anew: the issuer may have moved them.
      this.#found = jwks;
      this.#tell(messageOf(thrown));
      throw thrown;
    }
  }

  #tell(trouble: string | undefined): void {
    const changed = (trouble === undefined) !== (this.#trouble === undefined);
    this.#trouble = trouble;
    if (changed) this.#options.onTrouble(trouble);
  }
}
