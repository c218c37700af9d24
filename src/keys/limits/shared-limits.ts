import { messageOf } from "../../core/index.ts";
import type { NewEvent } from "../../core/index.ts";
import type { LimitLender } from "../../store/limit-lender.ts";
import type { Caller, KeyLimits } from "../caller.ts";
import type { Admitted, KeyRefusal } from "../key-gate.ts";
import { givenBack } from "./draining.ts";
import { refusalFor } from "./limit-refusal.ts";
import { CLOCK, standingOf, UNCOUNTED } from "./limits.ts";
import type { Clock, Limits, LimitState, Standing } from "./limits.ts";
import { budgetsAt, needsOf } from "./needs.ts";
import { Share } from "./share.ts";
import type { Budgets } from "./needs.ts";
import type { Need } from "./share.ts";

/** Milliseconds between two reports while requests come; without any there is no timer. */
const PERIOD = 1000;

export interface SharedLimitsOptions {
  readonly lender: LimitLender;
  /** Who this process is among the holders; another one after each start. */
  readonly holder: string;
  readonly onEvent: (event: NewEvent) => void;
  readonly clock?: Clock;
}

/**
 * Limits that several processes keep together. Each uses what it was lent without asking; a request waits for an
 * exchange only when that is used up. While nobody lends, each process counts alone against the whole limits, and tells
 * what it counted when somebody does again: n gateways then give out n times the limit at most.
 */
export class SharedLimits implements Limits {
  readonly #lender: LimitLender;
  readonly #holder: string;
  readonly #onEvent: (event: NewEvent) => void;
  readonly #clock: Clock;
  /** By key and allowance. */
  readonly #shares = new Map<string, Map<string, Share>>();
  #budgets: Budgets = budgetsAt(0);
  #alone = false;
  #underWay: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ lender, holder, onEvent, clock = CLOCK }: SharedLimitsOptions) {
    this.#lender = lender;
    this.#holder = holder;
    this.#onEvent = onEvent;
    this.#clock = clock;
  }

  admit(caller: Caller, tokens: number): Admitted | KeyRefusal | Promise<Admitted | KeyRefusal> {
    if (caller.limits === undefined) return UNCOUNTED;
    const needs = needsOf(caller.limits, tokens, this.#present());
    const shortage = this.#shortage(caller.key, needs);
    if (shortage === undefined) return this.#take(caller.key, needs);
    const now = this.#clock.steady();
    const hopeless =
      this.#alone || shortage.amount > shortage.limit || this.#share(caller.key, shortage).short(now);
    return hopeless ? this.#refusal(caller.key, shortage) : this.#askFor(caller.key, needs);
  }

  state(caller: Caller): LimitState {
    const { limits } = caller;
    if (limits === undefined) return {};
    const { requestsPerMinute: requests, tokensPerMinute: tokens } = limits;
    const now = this.#clock.steady();
    const shares = this.#shares.get(caller.key);
    const standing = (kind: keyof KeyLimits, limit: number): Standing =>
      standingOf(limit, shares?.get(kind)?.taken(now) ?? 0);
    return {
      requests: requests === undefined ? undefined : standing("requestsPerMinute", requests),
      tokens: tokens === undefined ? undefined : standing("tokensPerMinute", tokens),
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#underWay;
    // Everything is given back, so that the others need not wait for the loans to end.
    for (const share of this.#all()) share.leave();
    await this.#exchange(true);
  }

  /** Called once for each admission, when what it takes is known. */
  settle(caller: string, needs: readonly Need[], used: number, since: number): void {
    const now = this.#clock.steady();
    const { day, month } = this.#present();
    for (const need of needs) {
      if (need.kind === "requestsPerMinute") continue;
      const share = this.#share(caller, need);
      if (need.kind === "concurrent") {
        share.end();
        continue;
      }
      const more = used - need.amount;
      if (need.span > 0) {
        share.change(more >= 0 ? more : -givenBack(-more, need.limit, now - since, need.span), now);
        continue;
      }
      // An answer counts for the day and month that it ends in.
      share.change(-need.amount, now);
      const { allowance, ends } = need.kind === "tokensPerDay" ? day : month;
      (allowance === need.allowance ? share : this.#share(caller, { ...need, allowance, ends })).change(
        used,
        now,
      );
    }
    this.#arm();
  }

  #shortage(key: string, needs: readonly Need[]): Need | undefined {
    const now = this.#clock.steady();
    return needs.find((need) => this.#share(key, need).room(now, this.#alone) < need.amount);
  }

  #take(key: string, needs: readonly Need[]): Admitted {
    const now = this.#clock.steady();
    let scarce = false;
    for (const need of needs) {
      const share = this.#share(key, need);
      share.use(need.amount, now);
      scarce ||= share.scarce();
    }
    this.#arm();
    // Asked for before it is used up, so that the next request need not wait.
    if (scarce && !this.#alone && this.#underWay === undefined) void this.#exchange(false);
    return new SharedAdmission(this, key, needs, now);
  }

  async #askFor(key: string, needs: readonly Need[]): Promise<Admitted | KeyRefusal> {
    for (const need of needs) this.#share(key, need).want(need.amount);
    // One that is under way does not know of this request: it waits for the next one, with all who come meanwhile.
    this.#next ??= (this.#underWay ?? Promise.resolve()).then(() => {
      this.#next = undefined;
      return this.#exchange(false);
    });
    await this.#next;
    for (const need of needs) this.#share(key, need).heard(need.amount);
    const shortage = this.#shortage(key, needs);
    return shortage === undefined ? this.#take(key, needs) : this.#refusal(key, shortage);
  }

  #refusal(key: string, need: Need): KeyRefusal {
    const now = this.#clock.steady();
    const share = this.#share(key, need);
    const wait = need.ends === undefined ? share.wait(need.amount, now) : need.ends - this.#clock.wall();
    return refusalFor({
      key,
      kind: need.kind,
      limit: need.limit,
      used: share.inUse(now),
      wanted: need.amount,
      wait,
    });
  }

  #share(key: string, need: Need): Share {
    let shares = this.#shares.get(key);
    if (shares === undefined) {
      shares = new Map();
      this.#shares.set(key, shares);
    }
    let share = shares.get(need.allowance);
    if (share === undefined) {
      share = new Share(key, need, this.#clock.steady());
      shares.set(need.allowance, share);
    }
    share.limit = need.limit;
    return share;
  }

  #all(): Share[] {
    return [...this.#shares.values()].flatMap((shares) => [...shares.values()]);
  }

  /** The budgets of today. A clock that went back stays in the later day. */
  #present(): Budgets {
    const wall = this.#clock.wall();
    if (wall >= this.#budgets.day.ends) this.#budgets = budgetsAt(wall);
    return this.#budgets;
  }

  #exchange(all: boolean): Promise<void> {
    this.#underWay ??= this.#tell(all).finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  async #tell(all: boolean): Promise<void> {
    const began = this.#clock.steady();
    const shares = this.#all().filter((share) => share.due(began, all ? 0 : PERIOD));
    if (shares.length === 0) return;
    const wasAlone = this.#alone;
    const asks = shares.map((share) => share.ask(began, wasAlone));
    try {
      const grants = await this.#lender.exchange(this.#holder, asks);
      const now = this.#clock.steady();
      shares.forEach((share, index) => {
        const grant = grants[index];
        if (grant !== undefined) share.granted(grant, now);
      });
      this.#alone = false;
      if (wasAlone)
        this.#say("info", "limits.shared", "Limits are counted together with the other gateways again.");
    } catch (error) {
      for (const share of shares) share.failed();
      this.#alone = true;
      if (!wasAlone)
        this.#say(
          "warning",
          "limits.alone",
          `Limits are counted by this gateway alone for now: ${messageOf(error)} What it counts is told when the database is back.`,
        );
    }
    this.#arm();
  }

  /** Reports every second as long as there is anything to report. */
  #arm(): void {
    if (this.#closed || this.#timer !== undefined || this.#shares.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#tidy();
      void this.#exchange(true).then(() => this.#arm());
    }, PERIOD).unref();
  }

  #tidy(): void {
    const now = this.#clock.steady();
    const wall = this.#clock.wall();
    for (const [key, shares] of this.#shares) {
      for (const [allowance, share] of shares) if (share.forgettable(now, wall)) shares.delete(allowance);
      if (shares.size === 0) this.#shares.delete(key);
    }
  }

  #say(severity: NewEvent["severity"], kind: string, message: string): void {
    this.#onEvent({ severity, kind, message });
  }
}

class SharedAdmission implements Admitted {
  readonly #limits: SharedLimits;
  readonly #key: string;
  readonly #needs: readonly Need[];
  readonly #since: number;
  #owed = true;

  constructor(limits: SharedLimits, key: string, needs: readonly Need[], since: number) {
    this.#limits = limits;
    this.#key = key;
    this.#needs = needs;
    this.#since = since;
  }

  settle(tokens: number): void {
    if (!this.#owed) return;
    this.#owed = false;
    this.#limits.settle(this.#key, this.#needs, tokens, this.#since);
  }
}
