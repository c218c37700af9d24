import type { Entry } from "../journal/entry.ts";
import { inputsHash } from "../journal/inputs-hash.ts";
import type { Memory } from "../journal/memory.ts";
import type { Exclusions, Runbook } from "../runbook.ts";
import type { Step } from "../step.ts";
import { checkNames } from "./order.ts";
import type { Selection } from "./selection.ts";

type TakenEntry = Extract<Entry, { kind: "fallback" }>;

/** What a runbook is made with. */
export interface BoardMaking {
  /** The runbook without these engines. Throws `OmniError` where there is none. */
  make(exclusions: Exclusions): Promise<Runbook>;
  /** `runbook.order` of the spec. */
  readonly order: readonly (readonly string[])[];
  readonly selection: Selection;
}

export interface FirstMaking extends BoardMaking {
  readonly memory: Pick<Memory, "fallbacks">;
  /** Try again what fallbacks stand for. */
  readonly retryFallbacks: boolean;
}

interface FirstRunbook {
  readonly runbook: Runbook;
  /** Fallbacks of the last run that this one goes on with. */
  readonly carried: readonly TakenEntry[];
  /** By step, how many fallbacks of its chain are taken. */
  readonly depths: ReadonlyMap<string, number>;
}

/**
 * The runbook that a run begins with: fallbacks that the last run took are taken at once, as long as what failed would be
 * done just as it was then. Throws what `make` throws, and OmniError `runbook.unknown-step` for names that no step has.
 */
export async function firstRunbook(making: FirstMaking): Promise<FirstRunbook> {
  const base = await making.make(new Map());
  const fallbacks = making.retryFallbacks ? [] : making.memory.fallbacks;
  const first = await withFallbacks(base, fallbacks, making);
  const ids = first.runbook.steps.map(({ id }) => id);
  // An order may name what a fallback takes the place of.
  checkNames(making.order.flat(), [...ids, ...base.steps.map(({ id }) => id)], "runbook.order");
  checkNames(making.selection.only, ids, "--only");
  return first;
}

async function withFallbacks(
  base: Runbook,
  fallbacks: readonly TakenEntry[],
  making: BoardMaking,
): Promise<FirstRunbook> {
  const hashes = new Map(base.steps.map((step) => [step.id, inputsHash(step)]));
  const engines = fallbacks.filter(
    ({ taken, step, hash }) => taken.kind === "without-engine" && (hashes.get(step) ?? hash) === hash,
  );
  const exclusions = new Map(
    engines.flatMap(({ taken, reason }) =>
      taken.kind === "without-engine" ? [[taken.engine, reason] as const] : [],
    ),
  );
  const made = exclusions.size === 0 ? base : await making.make(exclusions);
  const steps = fallbacks.filter(({ taken }) => taken.kind === "step");
  const { runbook, depths, taken } = withStepFallbacks(made, steps);
  return { runbook, carried: [...engines, ...taken], depths };
}

/** The runbook with the steps in which fallbacks of the same id stand where others failed. */
function withStepFallbacks(
  made: Runbook,
  entries: readonly TakenEntry[],
): {
  readonly runbook: Runbook;
  readonly depths: ReadonlyMap<string, number>;
  readonly taken: readonly TakenEntry[];
} {
  const depths = new Map<string, number>();
  const taken: TakenEntry[] = [];
  const current = new Map(made.steps.map((step) => [step.id, step]));
  for (const entry of entries) {
    const step = current.get(entry.step);
    if (step?.fallback?.kind !== "step" || inputsHash(step) !== entry.hash) continue;
    current.set(entry.step, step.fallback.step);
    depths.set(entry.step, (depths.get(entry.step) ?? 0) + 1);
    taken.push(entry);
  }
  const steps = made.steps.map((step) => current.get(step.id) ?? step);
  return { runbook: { ...made, steps }, depths, taken };
}

/** The `depth`th fallback of a step's chain; the last one where the chain is shorter. */
export function atDepth(step: Step, depth: number): Step {
  let current = step;
  for (let taken = 0; taken < depth && current.fallback?.kind === "step"; taken++)
    current = current.fallback.step;
  return current;
}
