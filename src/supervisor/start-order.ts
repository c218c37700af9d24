import type { ServiceState } from "./backends.ts";

/** What deciding about starts needs to know of a service. */
export interface Contender {
  readonly name: string;
  readonly phase: ServiceState;
  /** While queued: it has its turn already. */
  readonly granted: boolean;
  /** It drains or stops and will free what it holds. */
  readonly leaving: boolean;
  /** Cards that it takes. Main memory is no card: starts on it need no turns. */
  readonly cards: readonly string[];
  /** Swap sets that it belongs to: of their members one at a time is loaded. */
  readonly swapSets: readonly string[];
  /** Services that must be ready before it starts. */
  readonly after: readonly string[];
  /** Order of arrival in the queue. */
  readonly ticket: number;
}

/** Whether a queued service may start now, or what it waits for. */
export interface StartVerdict {
  readonly name: string;
  readonly waitsFor?: string;
}

const STARTING: ReadonlySet<ServiceState> = new Set(["starting", "loading"]);
/** It is up, or its absence is how the node is meant to be. */
const AVAILABLE: ReadonlySet<ServiceState> = new Set(["ready", "draining", "unloaded", "asleep"]);

/**
 * Decides who of those that wait may start: first come, first served; one start at a time on a card, because two engines
 * that size themselves by free memory at the same time both get it wrong (vLLM #55827); none while a predecessor still
 * frees the card. A service takes all its cards at once or none, so that no two wait for each other. Pure.
 */
export function arrangeStarts(contenders: readonly Contender[]): readonly StartVerdict[] {
  const byName = new Map(contenders.map((contender) => [contender.name, contender]));
  const ahead = contenders.filter(
    ({ phase, granted, leaving }) => STARTING.has(phase) || leaving || (phase === "queued" && granted),
  );
  const waiting = contenders
    .filter(({ phase, granted }) => phase === "queued" && !granted)
    .toSorted((a, b) => a.ticket - b.ticket);
  const verdicts: StartVerdict[] = [];
  for (const contender of waiting) {
    const missing = contender.after.map((name) => byName.get(name)).find(isMissing);
    if (missing !== undefined) {
      verdicts.push({ name: contender.name, waitsFor: missingDependency(missing) });
      continue;
    }
    const first = ahead.find((other) => other !== contender && inTheWay(other, contender));
    verdicts.push(
      first === undefined
        ? { name: contender.name }
        : { name: contender.name, waitsFor: turnOf(first, contender) },
    );
    // Whoever waits longer is not overtaken on any of its cards.
    ahead.push(contender);
  }
  return verdicts;
}

const isMissing = (dependency: Contender | undefined): dependency is Contender =>
  dependency !== undefined && !AVAILABLE.has(dependency.phase);

function missingDependency({ name, phase }: Contender): string {
  if (phase === "failed" || phase === "stopped") return `${name}, which comes before it, is ${phase}.`;
  return `${name} has to be ready first.`;
}

function inTheWay(other: Contender, contender: Contender): boolean {
  if (other.cards.some((card) => contender.cards.includes(card))) return true;
  return other.leaving && other.swapSets.some((set) => contender.swapSets.includes(set));
}

function turnOf(first: Contender, contender: Contender): string {
  const card = first.cards.find((name) => contender.cards.includes(name));
  const what = card ?? "its place";
  return first.leaving ? `${first.name} still frees ${what}.` : `${first.name} starts on ${what} first.`;
}
