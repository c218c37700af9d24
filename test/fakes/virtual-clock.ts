import type { Clock } from "../../src/supervisor/clock.ts";

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock that moves only when a test lets it, and runs what is due in order. */
export class VirtualClock implements Clock {
  now = 0;
  #timers: Timer[] = [];
  #order = 0;

  wall(): number {
    return 1_700_000_000_000 + this.now;
  }

  elapsed(): number {
    return this.now;
  }

  after(delay: number, run: () => void): () => void {
    const timer = { at: this.now + Math.max(0, delay), order: this.#order++, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Timers that have not run. */
  get waiting(): number {
    return this.#timers.length;
  }

  /** Lets time pass until `time`; throws when timers keep making timers for the same moment. */
  runUntil(time: number): void {
    for (let steps = 0; ; steps++) {
      const next = this.#next();
      if (next === undefined || next.at > time) break;
      if (steps > 1_000_000) throw new Error(`timers do not come to rest at ${this.now}`);
      this.#timers = this.#timers.filter((other) => other !== next);
      this.now = Math.max(this.now, next.at);
      next.run();
    }
    this.now = Math.max(this.now, time);
  }

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers)
      if (first === undefined || timer.at < first.at || (timer.at === first.at && timer.order < first.order))
        first = timer;
    return first;
  }
}
