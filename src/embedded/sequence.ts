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
function commonPrefix(a: readonly number[], b: readonly number[]): number {
  const end = Math.min(a.length, b.length);
  let length = 0;
  while (length < end && a[length] === b[length]) length++;
  return length;
}

/**
 * The idle sequence to use: the one with the longest common prefix if that is worth its place, otherwise the one
 * unused for longest. A few common tokens are no reason to throw another conversation away: the prefix must be
 * half of the new prompt or half of what the sequence holds.
 */
export function chooseSequence(
  sequences: readonly Sequence[],
  prompt: readonly number[],
): Sequence | undefined {
  const idle = sequences.filter((sequence) => sequence.generation === undefined);
  const oldest = leastBy(idle, (sequence) => sequence.releasedAt);
  const longest = leastBy(idle, (sequence) => -commonPrefix(sequence.tokens, prompt));
  if (longest === undefined) return oldest;
  const common = commonPrefix(longest.tokens, prompt);
  return common * 2 >= Math.min(prompt.length, Math.max(1, longest.tokens.length)) ? longest : oldest;
}

/** The element with the smallest rank; among equals the one unused for longest. */
function leastBy(sequences: readonly Sequence[], rank: (sequence: Sequence) => number): Sequence | undefined {
  let best: Sequence | undefined;
  let bestRank = Number.POSITIVE_INFINITY;
  for (const sequence of sequences) {
    const own = rank(sequence);
    if (own > bestRank || (own === bestRank && sequence.releasedAt >= (best?.releasedAt ?? 0))) continue;
    best = sequence;
    bestRank = own;
  }
  return best;
}
