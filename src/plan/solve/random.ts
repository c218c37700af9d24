/** A small generator of pseudo-random numbers (Marsaglia's xorshift, 32 bits): the same seed, the same numbers, everywhere. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = (Math.imul(seed | 0, 0x9e3779b1) ^ 0x5bd1e995) | 1;
    for (let i = 0; i < 8; i++) this.below(2);
  }

  /** An integer of 0 … `limit` − 1. */
  below(limit: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return Math.floor(((x >>> 0) / 4_294_967_296) * limit);
  }

  /** True once in `limit` times. */
  oneIn(limit: number): boolean {
    return this.below(limit) === 0;
  }
}
