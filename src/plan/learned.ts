/** What engines took beyond what was predicted, by model, kind of engine and number of cards; bytes by position, signed. */
export interface Learned {
  readonly model: string;
  /** Kind of engine in the catalog. */
  readonly engine: string;
  /** Beyond the prediction on each card, in the order of the placement; the sum of what is there counts once. */
  readonly beyond: readonly number[];
  /** Where it was measured, for a person: `2026-11-22, 2 cards`. */
  readonly measured: string;
}

/** Engines that reserve a share of the card at start and fill it with KV cache, whatever they need. */
export const fillsShare = (kind: string): boolean =>
  ["vllm", "sglang", "triton-vllm", "tensorrt-llm"].includes(kind);

/** Corrections of one service: by kind of engine and number of cards. */
export type Corrections = ReadonlyMap<string, readonly number[]>;

const keyOf = (engine: string, cards: number): string => `${engine} ${cards}`;

/**
 * The corrections that were learned for a model; the first of equal ones counts, so newest first. They only ever add: an
 * engine that took less than predicted may come to take it under other requests.
 */
export function correctionsFor(model: string, learned: readonly Learned[]): Corrections {
  const found = new Map<string, readonly number[]>();
  for (const { model: of, engine, beyond } of learned) {
    const key = keyOf(engine, beyond.length);
    if (of === model && !found.has(key))
      found.set(
        key,
        beyond.map((bytes) => Math.max(0, bytes)),
      );
  }
  return found;
}

/** What is to be added to the prediction of a kind of engine on so many cards; zeros where nothing was measured. */
export const correctionOn = (
  corrections: Corrections | undefined,
  engine: string,
  cards: number,
): readonly number[] => corrections?.get(keyOf(engine, cards)) ?? Array.from({ length: cards }, () => 0);

/** Text that is the same for equal corrections, for caches of fits. */
export const correctionsText = (corrections: Corrections | undefined): string =>
  corrections === undefined || corrections.size === 0 ? "" : JSON.stringify([...corrections]);
