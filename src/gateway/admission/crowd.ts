import type { Waiting } from "./waiting.ts";

export const CLASSES = 10;

/** Waiters of one key in one class, in order of arrival. */
interface Line {
  waiting: number;
  last: Waiting | undefined;
}

/** How crowded a queue is: what displacement looks at. */
export interface Crowded {
  waitingOf(priority: number, key: string): number;
  /** The newest waiter of the key that has most of this class waiting. */
  crowding(priority: number): { readonly waiting: Waiting; readonly count: number } | undefined;
}

/** Everybody who waits, at whatever service. */
export class Crowd implements Crowded {
  size = 0;
  readonly #classes = Array.from({ length: CLASSES }, () => new Map<string, Line>());

  add(waiting: Waiting): void {
    const lines = this.#classes[waiting.priority];
    const line = lines?.get(waiting.key) ?? { waiting: 0, last: undefined };
    lines?.set(waiting.key, line);
    waiting.before = line.last;
    if (line.last !== undefined) line.last.after = waiting;
    line.last = waiting;
    line.waiting++;
    this.size++;
  }

  remove(waiting: Waiting): void {
    const lines = this.#classes[waiting.priority];
    const line = lines?.get(waiting.key);
    if (lines === undefined || line === undefined) return;
    const { before, after } = waiting;
    if (before !== undefined) before.after = after;
    if (after === undefined) line.last = before;
    else after.before = before;
    waiting.before = undefined;
    waiting.after = undefined;
    if (--line.waiting === 0) lines.delete(waiting.key);
    this.size--;
  }

  waitingOf(priority: number, key: string): number {
    return this.#classes[priority]?.get(key)?.waiting ?? 0;
  }

  crowding(priority: number): { readonly waiting: Waiting; readonly count: number } | undefined {
    let most: Line | undefined;
    for (const line of this.#classes[priority]?.values() ?? []) {
      if (line.waiting > (most?.waiting ?? 0)) most = line;
    }
    return most?.last === undefined ? undefined : { waiting: most.last, count: most.waiting };
  }
}

/**
 * Who leaves a full queue for a newcomer: the newest waiter of a lower class, or of a key of the same class that has at
 * least two more waiting than the newcomer's. Otherwise one key could fill the queue, and others' requests would be
 * refused rather than delayed.
 */
export function displaced(crowd: Crowded, priority: number, key: string): Waiting | undefined {
  for (let lower = 0; lower < priority; lower++) {
    const found = crowd.crowding(lower);
    if (found !== undefined) return found.waiting;
  }
  const found = crowd.crowding(priority);
  return found !== undefined && found.count >= crowd.waitingOf(priority, key) + 2 ? found.waiting : undefined;
}
