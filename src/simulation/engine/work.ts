import type { ActiveFaults } from "./active-faults.ts";
import type { EngineSettings } from "./engine-settings.ts";

/** How often a running request looks whether its cards are still there, ms. */
const LOOK_AT_CARDS = 200;

/** What is asked of the engine: an answer of so many tokens to a prompt of so many. */
export interface Job {
  readonly promptTokens: number;
  readonly tokens: readonly string[];
}

/** Counters since the start, as metrics show them. */
export interface Counters {
  promptTokens: number;
  generatedTokens: number;
  /** Steps: one a token of any request. */
  steps: number;
  finished: number;
  /** Seconds. */
  promptTime: number;
  generationTime: number;
  longest: number;
}

const DEAD = "EngineCore encountered an issue.";

/** Thrown to requests when what computes has died. */
export class CoreDead extends Error {
  override readonly name = "CoreDead";
}

/** What computes: so many requests at a time, the others wait in order of arrival. */
export class Work {
  readonly counters: Counters = {
    promptTokens: 0,
    generatedTokens: 0,
    steps: 0,
    finished: 0,
    promptTime: 0,
    generationTime: 0,
    longest: 0,
  };
  /** Requests by their slot, with the tokens of each in the KV cache. */
  readonly slots: ({ tokens: number } | undefined)[];
  readonly #settings: EngineSettings;
  readonly #faults: ActiveFaults;
  readonly #lookAtCards: () => void;
  /** Who waits for a slot; called without one when the engine dies. */
  readonly #queue: ((slot: number | undefined) => void)[] = [];
  #dead = false;
  #asleep = false;
  readonly #wake = new Set<() => void>();

  /** `lookAtCards` is called now and then while something is computed, and ends the engine where a card is gone. */
  constructor(settings: EngineSettings, faults: ActiveFaults, lookAtCards: () => void) {
    this.#settings = settings;
    this.#faults = faults;
    this.#lookAtCards = lookAtCards;
    this.slots = Array.from({ length: settings.parallel });
    faults.onChange(() => this.#wakeAll());
  }

  get running(): number {
    return this.slots.filter((slot) => slot !== undefined).length;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Tokens in the KV cache now. */
  get cachedTokens(): number {
    return this.slots.reduce((sum, slot) => sum + (slot?.tokens ?? 0), 0);
  }

  get dead(): boolean {
    return this.#dead;
  }

  get asleep(): boolean {
    return this.#asleep;
  }

  /** What computes dies: every request fails with `CoreDead`, now and later. */
  die(): void {
    this.#dead = true;
    this.#wakeAll();
    for (const begin of this.#queue.splice(0)) begin(undefined);
  }

  /** Computes nothing until it is called with false. */
  sleep(asleep: boolean): void {
    this.#asleep = asleep;
    this.#wakeAll();
  }

  /** Computes a job; tells each token as it is there. Rejects when `signal` aborts, or with `CoreDead`. */
  async run(job: Job, signal: AbortSignal, onToken: (token: string) => Promise<void> | void): Promise<void> {
    const slot = await this.#enter(signal);
    try {
      const begin = performance.now();
      await this.#pause((job.promptTokens / this.#settings.promptTokensPerSecond) * 1000, signal);
      this.#prefilled(slot, job.promptTokens, performance.now() - begin);
      await this.#generate(slot, job, signal, onToken);
      this.counters.finished += 1;
    } finally {
      this.#leave(slot);
    }
  }

  async #generate(
    slot: number,
    { tokens }: Job,
    signal: AbortSignal,
    onToken: (token: string) => Promise<void> | void,
  ): Promise<void> {
    let due = performance.now();
    let looked = due;
    for (const token of tokens) {
      const step = 1000 / (this.#faults.find("slow")?.tokensPerSecond ?? this.#settings.tokensPerSecond);
      due += step;
      await this.#pause(due - performance.now(), signal);
      if (performance.now() - looked > LOOK_AT_CARDS) {
        looked = performance.now();
        this.#lookAtCards();
      }
      const used = this.slots[slot];
      if (used !== undefined) used.tokens += 1;
      this.counters.generatedTokens += 1;
      this.counters.steps += 1;
      this.counters.generationTime += step / 1000;
      this.counters.longest = Math.max(this.counters.longest, used?.tokens ?? 0);
      await onToken(token);
    }
  }

  #prefilled(slot: number, tokens: number, ms: number): void {
    this.slots[slot] = { tokens };
    this.counters.promptTokens += tokens;
    this.counters.promptTime += ms / 1000;
    this.counters.steps += 1;
  }

  async #enter(signal: AbortSignal): Promise<number> {
    this.#lookAtCards();
    if (this.#dead) throw new CoreDead(DEAD);
    const free = this.slots.indexOf(undefined);
    if (free < 0) return await this.#turn(signal);
    this.slots[free] = { tokens: 0 };
    return free;
  }

  /** The slot goes to who has waited longest without being free in between: nobody who has just come is before them. */
  #leave(slot: number): void {
    const next = this.#dead ? undefined : this.#queue.shift();
    this.slots[slot] = next === undefined ? undefined : { tokens: 0 };
    next?.(slot);
  }

  /** Resolves with a slot that is this request's then. */
  #turn(signal: AbortSignal): Promise<number> {
    return new Promise((resolve, reject) => {
      const begin = (slot: number | undefined): void => {
        signal.removeEventListener("abort", leave);
        if (slot === undefined) reject(new CoreDead(DEAD));
        else resolve(slot);
      };
      const leave = (): void => {
        this.#queue.splice(this.#queue.indexOf(begin), 1);
        reject(new Error("The client has left."));
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#queue.push(begin);
    });
  }

  /** Lets time pass, and all the time in which nothing is computed. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    if (ms > 0) await this.#until(signal, ms);
    while (!this.#dead && (this.#asleep || this.#faults.find("hang") !== undefined))
      await this.#until(signal);
    if (this.#dead) throw new CoreDead(DEAD);
  }

  /** Waits so long, or until something changes where no time is given. A death ends every wait. */
  #until(signal: AbortSignal, ms?: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#wake.delete(woken);
        signal.removeEventListener("abort", left);
      };
      const over = (): void => {
        end();
        resolve();
      };
      const woken = (): void => {
        if (ms === undefined || this.#dead) over();
      };
      const left = (): void => {
        end();
        reject(new Error("The client has left."));
      };
      const timer = ms === undefined ? undefined : setTimeout(over, ms);
      if (signal.aborted) return left();
      signal.addEventListener("abort", left, { once: true });
      this.#wake.add(woken);
    });
  }

  #wakeAll(): void {
    for (const wake of this.#wake) wake();
  }
}
