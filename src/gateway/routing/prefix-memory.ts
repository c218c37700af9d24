import { mixed } from "./hashing.ts";
import type { PrefixMarks } from "./prefix-marks.ts";

/** Beginnings that are remembered in each of two generations: together a few MB at most. */
const MOST = 16_384;
/**
 * A shared beginning counts from 1 KiB (about 250 tokens) or half of the prompt on; less is quickly computed anew, and would
 * send all that begin with the same few words to one. It counts too where it was all of an earlier prompt.
 */
const WORTH = 1_024;
const WHOLE = 0x5bd1e995;

/**
 * Remembers where prompts went, so that what begins the same goes where its cache is, also after services were added. The
 * older generation is dropped when the younger is full.
 */
export class PrefixMemory {
  #young = new Map<number, string>();
  #old = new Map<number, string>();
  readonly #most: number;

  constructor(most = MOST) {
    this.#most = most;
  }

  /** The service that has the longest beginning of this prompt, if that is worth anything. `seed` stands for the model. */
  find({ lengths, hashes, bytes }: PrefixMarks, seed: number): string | undefined {
    for (let cut = lengths.length - 1; cut >= 0; cut--) {
      const length = lengths[cut] ?? 0;
      const key = mixed((hashes[cut] ?? 0) ^ seed);
      const counts = length >= WORTH || length * 2 >= bytes;
      const service = this.#get(counts ? key : key ^ WHOLE);
      if (service !== undefined) return service;
    }
    return undefined;
  }

  /**
   * The prompt goes to `service`. Its longest beginning is that service's from now on; shorter ones stay with who had them
   * first, so that what many share does not wander.
   */
  remember({ lengths, hashes }: PrefixMarks, seed: number, service: string): void {
    const last = lengths.length - 1;
    for (let cut = last; cut >= 0; cut--) {
      const key = mixed((hashes[cut] ?? 0) ^ seed);
      if (cut === last && (lengths[cut] ?? 0) < WORTH) this.#set(key ^ WHOLE, service);
      const known = this.#get(key);
      if (known !== undefined && (cut < last || known === service)) return;
      this.#set(key, service);
    }
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  #get(key: number): string | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.#set(key, old);
    return old;
  }

  #set(key: number, service: string): void {
    if (this.#young.size >= this.#most) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, service);
  }
}
