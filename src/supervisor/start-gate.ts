import type { EventLog } from "../core/index.ts";
import { formatDuration } from "../core/index.ts";
import type { PlannedService, SwapSet } from "../plan/plan.ts";
import type { Reading, Watch } from "../watch/reading.ts";
import type { Clock } from "./clock.ts";
import type { CardIdentity, Shortfall } from "./memory-wait.ts";
import { describeShortfall, shortfalls } from "./memory-wait.ts";
import type { ServiceKeeper } from "./service-keeper.ts";
import type { Contender } from "./start-order.ts";
import { arrangeStarts } from "./start-order.ts";
import type { Timing } from "./timing.ts";

export interface StartGateOptions {
  readonly keepers: () => Iterable<ServiceKeeper>;
  readonly swapSets: () => readonly SwapSet[];
  readonly events: EventLog;
  readonly clock: Clock;
  readonly timing: Timing;
  readonly watch: Watch | undefined;
  /** Devices of the plan that are cards of this machine. */
  readonly cards: ReadonlyMap<string, CardIdentity>;
  /** Memory is missing and does not come free: whoever may step down is told. */
  readonly onShortfall: (keeper: ServiceKeeper, missing: readonly Shortfall[]) => void;
}

/** Lets services start in order, one at a time on a card, each when the memory of its cards is really free. */
export class StartGate {
  readonly #options: StartGateOptions;
  readonly #tickets = new Map<ServiceKeeper, number>();
  readonly #waits = new Map<ServiceKeeper, AbortController>();
  readonly #looks = new WeakMap<ServiceKeeper, Reading>();
  #lastTicket = 0;
  #asked = false;
  #closed = false;

  constructor(options: StartGateOptions) {
    this.#options = options;
  }

  /** To be called after each change of any service; looks once for all changes of the same moment. */
  arrange(): void {
    if (this.#asked || this.#closed) return;
    this.#asked = true;
    queueMicrotask(() => {
      this.#asked = false;
      if (!this.#closed) this.#look();
    });
  }

  /** How the cards looked just before the last start of a service. */
  lastLook(keeper: ServiceKeeper): Reading | undefined {
    return this.#looks.get(keeper);
  }

  close(): void {
    this.#closed = true;
    for (const wait of this.#waits.values()) wait.abort();
  }

  #look(): void {
    const keepers = new Map([...this.#options.keepers()].map((keeper) => [keeper.name, keeper]));
    for (const [keeper, wait] of this.#waits) if (!isGranted(keeper)) wait.abort();
    for (const keeper of this.#tickets.keys())
      if (keeper.state.phase !== "queued") this.#tickets.delete(keeper);
    const contenders = [...keepers.values()].map((keeper) => this.#contender(keeper));
    for (const { name, waitsFor } of arrangeStarts(contenders)) {
      const keeper = keepers.get(name);
      if (keeper === undefined) continue;
      if (waitsFor === undefined) this.#grant(keeper);
      else keeper.send({ kind: "blocked", why: waitsFor });
    }
  }

  #contender(keeper: ServiceKeeper): Contender {
    const { name, service, state } = keeper;
    if (state.phase === "queued" && !this.#tickets.has(keeper)) this.#tickets.set(keeper, ++this.#lastTicket);
    return {
      name,
      phase: state.phase,
      granted: state.granted,
      leaving: state.phase === "stopping" || (state.phase === "draining" && state.goal !== "stay"),
      cards: cardsOf(keeper.engine?.service ?? service),
      swapSets: this.#options.swapSets().flatMap((set) => (set.services.includes(name) ? [set.name] : [])),
      after: service.lifecycle?.after ?? [],
      ticket: this.#tickets.get(keeper) ?? 0,
    };
  }

  #grant(keeper: ServiceKeeper): void {
    const { watch } = this.#options;
    keeper.send({ kind: "granted" });
    if (watch === undefined || watch.source === "none" || cardsOf(keeper.service).length === 0) {
      keeper.send({ kind: "turn" });
      return;
    }
    const abort = new AbortController();
    this.#waits.set(keeper, abort);
    void this.#waitForMemory(keeper, watch, abort.signal).finally(() => {
      if (this.#waits.get(keeper) === abort) this.#waits.delete(keeper);
    });
  }

  /** Looks ever more rarely whether the plan's memory is free, says who holds it, and in the end lets the engine judge. */
  async #waitForMemory(keeper: ServiceKeeper, watch: Watch, signal: AbortSignal): Promise<void> {
    const { clock, timing, cards, onShortfall } = this.#options;
    const began = clock.elapsed();
    const limit = Math.min(timing.memoryWait, keeper.service.loadTimeout);
    let delay = timing.memoryFirst;
    let told = false;
    for (;;) {
      const reading = await watch.lookNow();
      if (signal.aborted) return;
      this.#looks.set(keeper, reading);
      const missing = shortfalls(keeper.service, reading, cards);
      const waited = clock.elapsed() - began;
      if (missing.length === 0 || waited >= limit) {
        if (missing.length > 0) this.#tellAnyway(keeper, missing, waited);
        keeper.send({ kind: "turn" });
        return;
      }
      keeper.send({ kind: "waiting", why: `${missing.map(describeShortfall).join("; ")}.` });
      if (!told && waited >= timing.memoryPatience) {
        told = true;
        this.#tellMissing(keeper, missing, waited);
        onShortfall(keeper, missing);
        if (signal.aborted) return;
      }
      await this.#pause(delay, signal);
      delay = Math.min(timing.memorySlowest, delay * 1.5);
    }
  }

  #pause(delay: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(delay, () => {
        signal.removeEventListener("abort", end);
        resolve();
      });
      const end = (): void => {
        cancel();
        resolve();
      };
      if (signal.aborted) end();
      else signal.addEventListener("abort", end, { once: true });
    });
  }

  #tellMissing({ name }: ServiceKeeper, missing: readonly Shortfall[], waited: number): void {
    this.#options.events.record({
      kind: "service.memory-taken",
      severity: "warning",
      service: name,
      message: `${name} has waited ${formatDuration(waited)} for memory: ${missing.map(describeShortfall).join("; ")}.`,
      data: { missing },
    });
  }

  #tellAnyway({ name }: ServiceKeeper, missing: readonly Shortfall[], waited: number): void {
    this.#options.events.record({
      kind: "service.memory-short",
      severity: "warning",
      service: name,
      message: `${name} is started although memory is short after ${formatDuration(waited)}: ${missing.map(describeShortfall).join("; ")}.`,
      data: { missing },
    });
  }
}

const isGranted = ({ state }: ServiceKeeper): boolean => state.phase === "queued" && state.granted;

/** Cards that a service takes; main memory is none: `cpu`, or `machine/cpu`. */
export const cardsOf = ({ devices }: PlannedService): readonly string[] =>
  devices.filter((device) => device !== "cpu" && !device.endsWith("/cpu"));
