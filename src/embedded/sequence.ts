import type { Generation } from "./generation.ts";
import type { NativeContext } from "./native.ts";

/** One sequence of the native context: the tokens whose keys and values it holds, and who uses it now. */
export class Sequence {
  readonly id: number;
  readonly #native: NativeContext;
  /** Exactly what the cache holds, position by position. */
  tokens: number[] = [];
  generation: Generation | undefined;
  /** Grows with each release; the smallest is the one unused for longest. */
  releasedAt = 0;

  constructor(id: number, native: NativeContext) {
    this.id = id;
    this.#native = native;
  }

  /**
   * Keeps the common prefix with the new prompt and drops the rest. Returns the tokens kept: at most all but
   * the last of the prompt, because the last one must be computed again to get its logits.
   */
  adapt(prompt: readonly number[]): number {
    const keep = Math.min(commonPrefix(this.tokens, prompt), prompt.length - 1);
    if (keep === this.tokens.length) return keep;
    if (keep === 0 || !this.#canKeep(keep)) {
      this.clear();
      return 0;
    }
    this.tokens.length = keep;
    return keep;
  }

  clear(): void {
    this.#native.disposeSequence(this.id);
    this.tokens = [];
  }

  /** False for caches that lost their beginning (sliding windows) or cannot be cut (recurrent models). */
  #canKeep(keep: number): boolean {
    if (this.#native.getSequenceKvCacheMinPosition(this.id) > 0) return false;
    return this.#native.removeTokenCellsFromSequence(this.id, keep, this.tokens.length);
  }
}

/** Number of tokens that both rows begin with. */
export function commonPrefix(a: readonly number[], b: readonly number[]): number {
  const end = Math.min(a.length, b.length);
  let length = 0;
  while (length < end && a[length] === b[length]) length++;
  return length;
}

/** The idle sequence with the longest common prefix; among equals the one unused for longest. */
export function chooseSequence(
  sequences: readonly Sequence[],
  prompt: readonly number[],
): Sequence | undefined {
  let best: Sequence | undefined;
  let bestLength = -1;
  for (const sequence of sequences) {
    if (sequence.generation !== undefined) continue;
    const length = commonPrefix(sequence.tokens, prompt);
    if (length < bestLength) continue;
    if (length > bestLength || best === undefined || sequence.releasedAt < best.releasedAt) {
      best = sequence;
      bestLength = length;
    }
  }
  return best;
}
