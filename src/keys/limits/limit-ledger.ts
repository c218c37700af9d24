import { LOAN_PARTS, LOAN_TIME } from "../../store/limit-lender.ts";
import type { LimitAsk, LimitGrant, LimitLender } from "../../store/limit-lender.ts";
import { drain } from "./draining.ts";
import { CLOCK } from "./limits.ts";
import type { Clock } from "./limits.ts";
import type { UsedBefore } from "./local-limits.ts";

interface Account {
  used: number;
  at: number;
  readonly loans: Map<string, { readonly amount: number; readonly until: number }>;
}

/** Milliseconds after which an account that nobody asks for is forgotten; days and months are over by then. */
const FORGET = 33 * 86_400_000;
const TIDY_EVERY = 3_600_000;

/** Lends allowances to the worker processes of one node, in memory: the same sums as in PostgreSQL. */
export class LimitLedger implements LimitLender {
  readonly #clock: Clock;
  readonly #before: readonly UsedBefore[];
  readonly #accounts = new Map<string, Account>();
  #tidied: number;

  /** `before`: what the books say of this month, so that a restart refills no budget. */
  constructor(before: readonly UsedBefore[] = [], clock: Clock = CLOCK) {
    this.#before = before;
    this.#clock = clock;
    this.#tidied = clock.steady();
  }

  exchange(holder: string, asks: readonly LimitAsk[]): Promise<readonly LimitGrant[]> {
    const now = this.#clock.steady();
    if (now - this.#tidied > TIDY_EVERY) this.#tidy(now);
    return Promise.resolve(asks.map((ask) => this.#lend(holder, ask, now)));
  }

  #lend(holder: string, { key, allowance, limit, span, spent, want }: LimitAsk, now: number): LimitGrant {
    const account = this.#of(key, allowance, now);
    if (span > 0) {
      drain(account, limit, now, span);
      account.used = Math.max(0, account.used + spent);
    } else account.used += spent;
    account.at = Math.max(account.at, now);
    let lent = 0;
    for (const [other, { amount, until }] of account.loans) {
      if (until <= now || other === holder) account.loans.delete(other);
      else lent += amount;
    }
    const free = limit - account.used - lent;
    const held = want <= 0 ? 0 : Math.max(0, Math.min(free, Math.max(want, Math.ceil(free / LOAN_PARTS))));
    if (held > 0) account.loans.set(holder, { amount: held, until: now + LOAN_TIME });
    return { held, taken: account.used + lent };
  }

  #of(key: string, allowance: string, now: number): Account {
    const id = `${key}\n${allowance}`;
    let account = this.#accounts.get(id);
    if (account === undefined) {
      const [, period] = allowance.split(":");
      const used = this.#before.reduce(
        (sum, before) =>
          period !== undefined && before.key === key && before.day.startsWith(period)
            ? sum + before.tokens
            : sum,
        0,
      );
      account = { used, at: now, loans: new Map() };
      this.#accounts.set(id, account);
    }
    return account;
  }

  #tidy(now: number): void {
    this.#tidied = now;
    for (const [id, { at }] of this.#accounts) if (now - at > FORGET) this.#accounts.delete(id);
  }
}
