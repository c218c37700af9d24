import { hash } from "node:crypto";

/** What a verified token stands for. */
export interface VerifiedToken {
  /** Name of the key whose rights its bearer has. */
  readonly key: string;
  readonly subject: string;
  /** Milliseconds since the epoch after which it is no good. */
  readonly until: number;
  /** The set of signing keys that it was verified with. */
  readonly generation: string;
}

/**
 * Tokens whose signature was verified, by their SHA-256: what is kept could not be shown as a token. Bounded; the one that
 * was added first makes room. `T` is what else is kept with a token.
 */
export class VerifiedTokens<T extends VerifiedToken> {
  readonly #limit: number;
  readonly #tokens = new Map<string, T>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#tokens.size;
  }

  /** The entry of a token that is still good at `now` with these signing keys; what is no longer is let go. */
  find(token: string, now: number, generation: string | undefined): T | undefined {
    const digest = hash("sha256", token, "base64");
    const found = this.#tokens.get(digest);
    if (found === undefined) return undefined;
    if (found.until > now && found.generation === generation) return found;
    this.#tokens.delete(digest);
    return undefined;
  }

  add(token: string, entry: T): void {
    const digest = hash("sha256", token, "base64");
    if (this.#tokens.size >= this.#limit && !this.#tokens.has(digest)) {
      const oldest = this.#tokens.keys().next();
      if (oldest.done !== true) this.#tokens.delete(oldest.value);
    }
    this.#tokens.set(digest, entry);
  }
}
