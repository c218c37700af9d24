import type { LimitAsk, LimitGrant } from "../../store/limit-lender.ts";
import type { KeyLimits } from "../caller.ts";
import { drain, waitFor } from "./draining.ts";
import { CONCURRENT_WAIT } from "./limits.ts";

/** One allowance of one key, as a request needs it. */
export interface Need {
  readonly kind: keyof KeyLimits;
  /** The kind, and the period of a budget: `tokensPerDay:2026-11-22`. */
  readonly allowance: string;
  readonly limit: number;
  /** Milliseconds over which it comes back; 0 when it does not. */
  readonly span: number;
  readonly amount: number;
  /** When a budget begins anew, milliseconds since the epoch. */
  readonly ends?: number;
}

/** Milliseconds after the last use at which a loan is given back, and that a shortage is believed without asking again. */
const IDLE = 1500;
const BELIEVED = 100;

/**
 * This process's part of an allowance: what it was lent, what it used since it told last, and what it knows of all. Pure
 * arithmetic; `now` is milliseconds of a clock that never goes back.
 */
export class Share {
  readonly key: string;
  readonly kind: keyof KeyLimits;
  readonly allowance: string;
  limit: number;
  readonly span: number;
  /** Lent to this process. */
  #held = 0;
  /** Used by all and lent to others as last told, and what was used here since. */
  readonly #taken: { used: number; at: number };
  /** Used here and not told yet. */
  #untold = 0;
  /** Promised to running requests: of requests at the same time only, all else counts as used at once. */
  #running = 0;
  /** What requests wait for, also those that were lent it and have not heard of it yet. */
  #wanted = 0;
  /** What may be used while an exchange is under way, and what was told in it. */
  #underWay: { left: number; readonly told: number } | undefined;
  #recent = 0;
  #usedAt = -Infinity;
  #askedAt = -Infinity;
  #shortAt = -Infinity;

  readonly #ends: number | undefined;

  constructor(key: string, { kind, allowance, limit, span, ends }: Need, now: number) {
    this.key = key;
    this.kind = kind;
    this.allowance = allowance;
    this.limit = limit;
    this.span = span;
    this.#ends = ends;
    this.#taken = { used: 0, at: now };
  }

  /** What may be used without asking. `alone`: nobody lends, so that each process counts against the whole limit. */
  room(now: number, alone: boolean): number {
    if (alone) return this.limit - (this.kind === "concurrent" ? this.#running : this.taken(now));
    const left = this.#held - this.#untold - this.#running;
    return this.#underWay === undefined ? left : Math.min(left, this.#underWay.left);
  }

  /** Used by all as far as it is known, and lent to others. */
  taken(now: number): number {
    if (this.span > 0) drain(this.#taken, this.limit, now, this.span);
    return this.#taken.used;
  }

  use(amount: number, now: number): void {
    this.#usedAt = now;
    if (this.#underWay !== undefined) this.#underWay.left -= amount;
    if (this.kind === "concurrent") this.#running += amount;
    else this.change(amount, now);
  }

  /** Corrects what was used; negative gives back. */
  change(amount: number, now: number): void {
    this.taken(now);
    this.#untold += amount;
    this.#recent += Math.max(0, amount);
    this.#taken.used = this.span > 0 ? Math.max(0, this.#taken.used + amount) : this.#taken.used + amount;
  }

  /** A running request has ended. */
  end(): void {
    this.#running -= 1;
  }

  want(amount: number): void {
    this.#wanted += amount;
  }

  /** A request that waited goes on: with what it wanted, or without. */
  heard(amount: number): void {
    this.#wanted = Math.max(0, this.#wanted - amount);
  }

  /** Whether it is known to be used up, so that asking again at once would tell nothing new. */
  short(now: number): boolean {
    return now - this.#shortAt < BELIEVED;
  }

  /** Whether it wants an exchange: something to tell, to ask for, to keep or to give back. */
  due(now: number, period: number): boolean {
    if (this.#wanted > 0 || this.scarce()) return true;
    if (now - this.#askedAt < period) return false;
    return this.#untold !== 0 || this.#held > 0 || this.#running > 0;
  }

  /**
   * Whether nothing of it is left to remember. What is known of a budget is kept to its end, for a time when nobody tells.
   */
  forgettable(now: number, wall: number): boolean {
    return (
      this.#untold === 0 &&
      this.#held === 0 &&
      this.#running === 0 &&
      this.#wanted === 0 &&
      this.#underWay === undefined &&
      (this.#ends === undefined ? this.taken(now) === 0 : this.#ends <= wall)
    );
  }

  /** Whether little is left of the loan. */
  scarce(): boolean {
    return this.#held > 1 && (this.#held - this.#untold - this.#running) * 4 < this.#held;
  }

  /** Gives everything back at the next exchange: this process ends. */
  leave(): void {
    this.#usedAt = -Infinity;
    this.#running = 0;
    this.#wanted = 0;
    this.#askedAt = -Infinity;
  }

  ask(now: number, wasAlone: boolean): LimitAsk {
    // After a time alone, what has come back meanwhile is told no more.
    const told = wasAlone && this.span > 0 ? Math.min(this.#untold, this.taken(now)) : this.#untold;
    const active = now - this.#usedAt < IDLE;
    const room = Math.max(0, this.#held - this.#untold - this.#running);
    // What it lately used between two exchanges is kept at hand, whatever share of the rest it is.
    const keep = active ? Math.min(room, 2 * this.#recent + 1) : 0;
    const want = this.#running + this.#wanted + keep;
    this.#untold = told;
    // Who was lent something a moment ago may still take it: it is part of what is wanted.
    this.#underWay = { left: Math.min(room, keep + this.#wanted), told };
    this.#askedAt = now;
    this.#recent = 0;
    const { key, allowance, limit, span } = this;
    return { key, allowance, limit, span, spent: told, want: active && want === 0 ? 1 : want };
  }

  granted(grant: LimitGrant, now: number): void {
    this.#untold -= this.#underWay?.told ?? 0;
    this.#underWay = undefined;
    this.#held = grant.held;
    this.#taken.used = grant.taken + Math.max(0, this.#untold);
    this.#taken.at = now;
    if (this.#held - this.#untold - this.#running < 1) this.#shortAt = now;
  }

  failed(): void {
    this.#underWay = undefined;
  }

  /** Used, running or lent to others, for a person. */
  inUse(now: number): number {
    return this.taken(now) + this.#running;
  }

  /** Milliseconds until `amount` may fit. */
  wait(amount: number, now: number): number {
    if (this.kind === "concurrent") return CONCURRENT_WAIT;
    return this.span > 0 ? Math.max(BELIEVED, waitFor(this.taken(now), amount, this.limit, this.span)) : 0;
  }
}
