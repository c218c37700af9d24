import type { FileHandle } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { descend, step } from "./beneath.ts";
import { entriesOf, type Entry } from "./entries.ts";
import type { Ground, Place } from "./ground.ts";
import { codeOf, Refusal } from "./refusal.ts";

/** How far a walk may go. `left` counts down; `cut` says in words why it ended early. */
export interface Budget {
  left: number;
  /** Milliseconds of `performance.now()`. */
  readonly until: number;
  readonly depth: number;
  readonly signal: AbortSignal;
  cut?: string;
  /** Since when the walk has kept others from their turn; milliseconds of `performance.now()`. */
  turn: number;
}

const MOST_ENTRIES = 100_000;
const LONGEST_WALK = 10_000;
const DEEPEST = 64;
const TURN = 20;

/** A budget of 100 000 entries, 10 s and 64 folders in each other. */
export const walkBudget = (signal: AbortSignal): Budget => ({
  left: MOST_ENTRIES,
  until: performance.now() + LONGEST_WALK,
  depth: DEEPEST,
  signal,
  turn: performance.now(),
});

export interface Step {
  readonly entry: Entry;
  /** From the root. */
  readonly names: readonly string[];
  /** The open folder that holds it; open until the next step. */
  readonly folder: FileHandle;
}

/**
 * Everything beneath an open folder that clients may see, depth first and by name; links are named and not followed. Each folder
 * is opened from the one above it. Folders that cannot be read or are gone meanwhile are passed over. Ends early, with the
 * reason in `budget.cut`, when the budget is used up; throws what aborts the signal.
 */
export async function* walk(
  ground: Pick<Ground, "deny">,
  folder: FileHandle,
  place: Pick<Place, "root" | "names">,
  budget: Budget,
  depth = 0,
): AsyncGenerator<Step> {
  const { entries, cut } = await entriesOf(ground, folder, place, budget.signal);
  if (cut) budget.cut ??= "a folder has too many entries to look at all";
  for (const entry of entries) {
    if (isTurnOver(budget)) await takeTurns(budget);
    if (usedUp(budget)) return;
    budget.left -= 1;
    const names = [...place.names, entry.name];
    yield { entry, names, folder };
    if (entry.kind !== "folder") continue;
    if (depth + 1 >= budget.depth) {
      budget.cut ??= `what is deeper than ${budget.depth} folders was not looked at`;
      continue;
    }
    await using below = await enter(folder, entry.name);
    if (below.handle === undefined) continue;
    try {
      yield* walk(ground, below.handle, { root: place.root, names }, budget, depth + 1);
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
    }
  }
}

/** Lets others have their turn, so that an abort is heard. */
export async function takeTurns(budget: Budget): Promise<void> {
  await setImmediate();
  budget.turn = performance.now();
  budget.signal.throwIfAborted();
}

/** Whether others have waited long enough. */
export const isTurnOver = (budget: Budget): boolean => performance.now() - budget.turn > TURN;

function usedUp(budget: Budget): boolean {
  if (budget.left <= 0) budget.cut ??= "the search ended after the most entries that one may look at";
  else if (performance.now() > budget.until) budget.cut ??= "the search ended after its longest time";
  return budget.left <= 0 || performance.now() > budget.until;
}

interface Below extends AsyncDisposable {
  readonly handle: FileHandle | undefined;
}

async function enter(folder: FileHandle, name: string): Promise<Below> {
  try {
    const handle = await step(folder, name);
    return { handle, [Symbol.asyncDispose]: () => handle.close() };
  } catch (error) {
    if (codeOf(error) === undefined && !(error instanceof Refusal)) throw error;
    return { handle: undefined, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
}

/** Whether anything beneath is closed to clients, or too much to tell. */
export async function holdsClosed(
  ground: Pick<Ground, "deny">,
  folder: FileHandle,
  place: Pick<Place, "root" | "names">,
  signal: AbortSignal,
): Promise<boolean> {
  const everything = { deny: { denies: () => false } };
  const budget = walkBudget(signal);
  await using top = await descend(folder, []);
  for await (const { names } of walk(everything, top, place, budget))
    if (ground.deny.denies(place.root, names, place.names.length)) return true;
  return budget.cut !== undefined;
}
