import type { Finding } from "./campaign.ts";
import { Campaign, kindOf } from "./campaign.ts";
import type { FuzzCase } from "./fuzz-case.ts";
import { shrink } from "./shrink.ts";

/** What a finding came down to. */
export interface Cause {
  readonly what: string;
  /** The smallest case that shows it alone; absent when only many together did. */
  readonly smallest?: FuzzCase;
}

/** A case that shows something alone is tried this often, because what happens when is not the same each time. */
const REPEATS = 4;

/** Plays the suspects of a finding one by one, and shrinks the one that did it. */
export async function investigate(seed: number, finding: Finding): Promise<Cause> {
  const suspects = finding.suspects.length > 1 ? await halved(seed, finding.suspects) : finding.suspects;
  const bench = new FreshBench(seed);
  try {
    for (const suspect of suspects) {
      const what = await bench.shownBy(suspect, REPEATS);
      if (what === undefined) continue;
      const kind = kindOf(what);
      const smallest = await shrink(suspect, async (smaller) => {
        const shown = await bench.shownBy(smaller, 1);
        return shown !== undefined && kindOf(shown) === kind;
      });
      return { what, smallest };
    }
    return { what: finding.what };
  } finally {
    await bench.close();
  }
}

const open = (seed: number): Promise<Campaign> => Campaign.open({ seed, width: 1, block: 1 });

/** Of many suspects the few that show something when they are played one after the other. */
async function halved(seed: number, suspects: readonly FuzzCase[]): Promise<readonly FuzzCase[]> {
  if (suspects.length <= 64) return suspects;
  const middle = Math.ceil(suspects.length / 2);
  for (const half of [suspects.slice(0, middle), suspects.slice(middle)]) {
    const campaign = await open(seed);
    try {
      for (const suspect of half) await campaign.play(suspect);
      if ((await campaign.leftOver()) !== undefined) return await halved(seed, half);
    } finally {
      await campaign.close();
    }
  }
  return [];
}

/** A gateway that is as new: one that showed a fault, or holds something, is replaced by another. */
class FreshBench {
  readonly #seed: number;
  #campaign: Campaign | undefined;

  constructor(seed: number) {
    this.#seed = seed;
  }

  async shownBy(fuzzed: FuzzCase, repeats: number): Promise<string | undefined> {
    const campaign = (this.#campaign ??= await open(this.#seed));
    try {
      for (let i = 0; i < repeats; i++) {
        const { wrong } = await campaign.play(fuzzed);
        if (wrong !== undefined) return wrong;
      }
      const left = await campaign.leftOver();
      if (left !== undefined) await this.close();
      return left;
    } catch (thrown) {
      await this.close();
      return String(thrown);
    }
  }

  async close(): Promise<void> {
    await this.#campaign?.close();
    this.#campaign = undefined;
  }
}
