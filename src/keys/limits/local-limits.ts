import type { Caller, KeyLimits } from "../caller.ts";
import type { Admitted, KeyRefusal } from "../key-gate.ts";
import { dayOf, monthOf } from "./calendar.ts";
import type { Period } from "./calendar.ts";
import { drain, givenBack, waitFor } from "./draining.ts";
import type { Draining } from "./draining.ts";
import { refusalFor } from "./limit-refusal.ts";
import { CLOCK, CONCURRENT_WAIT, standingOf, UNCOUNTED } from "./limits.ts";
import type { Clock, Limits, LimitState, Standing } from "./limits.ts";

/** Tokens of a key in one day or month: those of answers that have ended, and those promised to running ones. */
interface Budget {
  period: Period;
  used: number;
}

interface Counts {
  readonly requests: Draining;
  readonly tokens: Draining;
  readonly day: Budget;
  readonly month: Budget;
  running: number;
}

/** Tokens that a key used on a day before this process began to count. */
export interface UsedBefore {
  readonly key: string;
  /** `2026-11-22`, UTC. */
  readonly day: string;
  readonly tokens: number;
}

/** Limits counted in this process alone: every answer is given at once. */
export class LocalLimits implements Limits {
  readonly #clock: Clock;
  readonly #before: readonly UsedBefore[];
  readonly #counts = new Map<string, Counts>();

  /** `before`: what the books say of this month, so that a restart refills no budget. */
  constructor(before: readonly UsedBefore[] = [], clock: Clock = CLOCK) {
    this.#before = before;
    this.#clock = clock;
  }

  admit(caller: Caller, tokens: number): Admitted | KeyRefusal {
    const { limits } = caller;
    if (limits === undefined) return UNCOUNTED;
    const counts = this.#of(caller.key);
    const now = this.#clock.steady();
    const refusal = this.#shortage(caller.key, limits, counts, tokens, now);
    if (refusal !== undefined) return refusal;
    if (limits.requestsPerMinute !== undefined) counts.requests.used += 1;
    if (limits.tokensPerMinute !== undefined) counts.tokens.used += tokens;
    counts.day.used += tokens;
    counts.month.used += tokens;
    counts.running += 1;
    return new LocalAdmission(this, counts, limits, tokens, now);
  }

  state(caller: Caller): LimitState {
    const { limits } = caller;
    if (limits === undefined) return {};
    const { requestsPerMinute: requests, tokensPerMinute: tokens } = limits;
    if (requests === undefined && tokens === undefined) return {};
    const counts = this.#of(caller.key);
    const now = this.#clock.steady();
    return {
      requests: requests === undefined ? undefined : standing(counts.requests, requests, now),
      tokens: tokens === undefined ? undefined : standing(counts.tokens, tokens, now),
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** What was promised at `since` has become what was used. */
  settle(counts: Counts, limits: KeyLimits, promised: number, used: number, since: number): void {
    const now = this.#clock.steady();
    counts.running -= 1;
    if (limits.tokensPerMinute !== undefined) {
      drain(counts.tokens, limits.tokensPerMinute, now);
      const more = used - promised;
      const change = more >= 0 ? more : -givenBack(-more, limits.tokensPerMinute, now - since);
      counts.tokens.used = Math.max(0, counts.tokens.used + change);
    }
    // An answer counts for the day and month that it ends in.
    counts.day.used -= promised;
    counts.month.used -= promised;
    this.#turn(counts);
    counts.day.used += used;
    counts.month.used += used;
  }

  #of(key: string): Counts {
    let counts = this.#counts.get(key);
    if (counts === undefined) {
      const steady = this.#clock.steady();
      const wall = this.#clock.wall();
      const [day, month] = [dayOf(wall), monthOf(wall)];
      const own = this.#before.filter((used) => used.key === key);
      const sum = (period: string): number =>
        own.reduce((total, { day, tokens }) => total + (day.startsWith(period) ? tokens : 0), 0);
      counts = {
        requests: { used: 0, at: steady },
        tokens: { used: 0, at: steady },
        day: { period: day, used: sum(day.name) },
        month: { period: month, used: sum(month.name) },
        running: 0,
      };
      this.#counts.set(key, counts);
    }
    return counts;
  }

  /** Begins a new day and month when the old one has ended. A clock that went back stays in the later one. */
  #turn({ day, month }: Counts): void {
    const now = this.#clock.wall();
    if (now < day.period.ends) return;
    day.period = dayOf(now);
    day.used = 0;
    if (now < month.period.ends) return;
    month.period = monthOf(now);
    month.used = 0;
  }

  #shortage(
    key: string,
    limits: KeyLimits,
    counts: Counts,
    tokens: number,
    now: number,
  ): KeyRefusal | undefined {
    const { concurrent, requestsPerMinute, tokensPerMinute, tokensPerDay, tokensPerMonth } = limits;
    const short = (kind: keyof KeyLimits, limit: number, used: number, wanted: number, wait: number) =>
      refusalFor({ key, kind, limit, used, wanted, wait });
    if (concurrent !== undefined && counts.running >= concurrent)
      return short("concurrent", concurrent, counts.running, 1, CONCURRENT_WAIT);
    if (requestsPerMinute !== undefined) {
      const used = drain(counts.requests, requestsPerMinute, now);
      if (used + 1 > requestsPerMinute)
        return short("requestsPerMinute", requestsPerMinute, used, 1, waitFor(used, 1, requestsPerMinute));
    }
    if (tokensPerMinute !== undefined) {
      const used = drain(counts.tokens, tokensPerMinute, now);
      const wanted = Math.max(1, tokens);
      if (used + wanted > tokensPerMinute)
        return short(
          "tokensPerMinute",
          tokensPerMinute,
          used,
          wanted,
          waitFor(used, wanted, tokensPerMinute),
        );
    }
    if (tokensPerDay === undefined && tokensPerMonth === undefined) return undefined;
    this.#turn(counts);
    const budget = (kind: keyof KeyLimits, limit: number | undefined, { used, period }: Budget) =>
      limit !== undefined && used + Math.max(1, tokens) > limit
        ? short(kind, limit, used, Math.max(1, tokens), period.ends - this.#clock.wall())
        : undefined;
    // Whoever has neither left waits for the month.
    return (
      budget("tokensPerMonth", tokensPerMonth, counts.month) ??
      budget("tokensPerDay", tokensPerDay, counts.day)
    );
  }
}

const standing = (draining: Draining, limit: number, now: number): Standing =>
  standingOf(limit, drain(draining, limit, now));

class LocalAdmission implements Admitted {
  readonly #limits: LocalLimits;
  readonly #counts: Counts;
  readonly #of: KeyLimits;
  readonly #promised: number;
  readonly #since: number;
  #owed = true;

  constructor(limits: LocalLimits, counts: Counts, of: KeyLimits, promised: number, since: number) {
    this.#limits = limits;
    this.#counts = counts;
    this.#of = of;
    this.#promised = promised;
    this.#since = since;
  }

  settle(tokens: number): void {
    if (!this.#owed) return;
    this.#owed = false;
    this.#limits.settle(this.#counts, this.#of, this.#promised, tokens, this.#since);
  }
}
