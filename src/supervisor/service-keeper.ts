import type { Address, EventLog } from "../core/index.ts";
import type { EngineDriver } from "../engines/engine.ts";
import type { PlannedService } from "../plan/plan.ts";
import type { Runtime, Unit } from "../runtimes/runtime.ts";
import type { ServiceView } from "./backends.ts";
import type { Clock } from "./clock.ts";
import { notStarted } from "./failures.ts";
import { probeHealth } from "./health-probe.ts";
import { step } from "./service-machine.ts";
import { describe } from "./service-note.ts";
import type { Action, Input, MachineState, Rules } from "./service-state.ts";
import { INITIAL } from "./service-state.ts";
import { viewOf } from "./service-view.ts";

export interface KeeperOptions {
  readonly service: PlannedService;
  readonly driver: EngineDriver;
  readonly runtime: Runtime;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly rules: Rules;
}

/** The one writer of a service: takes inputs in order, lets the machine decide, and does what it decided. */
export class ServiceKeeper {
  readonly #options: KeeperOptions;
  readonly #inbox: Input[] = [];
  readonly #watchers = new Set<() => void>();
  #busy = false;
  #state: MachineState = INITIAL;
  #since: number;
  #address: Address | undefined;
  #unit: Unit | undefined;
  /** Cancels the look or wait that is under way. */
  #cancel: () => void = () => {};

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#since = options.clock.wall();
  }

  get view(): ServiceView {
    return viewOf(this.#options.service, this.#state, this.#since);
  }

  get state(): MachineState {
    return this.#state;
  }

  /** Where to send requests, or `undefined` while the service is not ready or a report of a break is looked into. */
  get address(): Address | undefined {
    return this.#state.phase === "ready" && !this.#state.suspect ? this.#address : undefined;
  }

  send(input: Input): void {
    this.#inbox.push(input);
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) this.#take(next);
    } finally {
      this.#busy = false;
    }
    for (const watcher of this.#watchers) watcher();
  }

  /** Resolves with what `settled` returns as soon as that is not `undefined`; it is asked after every change. */
  until<T>(settled: (keeper: ServiceKeeper) => T | undefined, signal?: AbortSignal): Promise<T | undefined> {
    return new Promise((resolve) => {
      const finish = (value: T | undefined): void => {
        this.#watchers.delete(look);
        signal?.removeEventListener("abort", abort);
        resolve(value);
      };
      const look = (): void => {
        const value = settled(this);
        if (value !== undefined) finish(value);
      };
      const abort = (): void => finish(undefined);
      this.#watchers.add(look);
      if (signal?.aborted === true) abort();
      else {
        signal?.addEventListener("abort", abort, { once: true });
        look();
      }
    });
  }

  #take(input: Input): void {
    const { clock, rules, events, service } = this.#options;
    const before = this.#state;
    const { state, actions, notes } = step(before, input, clock.elapsed(), rules);
    this.#state = state;
    if (state.phase !== before.phase) this.#since = clock.wall();
    for (const note of notes) events.record(describe(note, service, state.pid ?? before.pid));
    for (const action of actions) this.#perform(action);
  }

  #perform(action: Action): void {
    const { clock } = this.#options;
    switch (action.do) {
      case "launch":
        this.#cancel();
        void this.#launch(action.generation);
        return;
      case "kill":
        void this.#unit?.stop(action.deadline);
        return;
      case "probe":
        this.#cancel();
        this.#cancel = this.#probeAfter(action.delay, this.#state.generation);
        return;
      case "wait":
        this.#cancel();
        this.#cancel = clock.after(action.delay, () => this.send({ kind: "wake" }));
        return;
      case "rest":
        this.#cancel();
        return;
    }
  }

  async #launch(generation: number): Promise<void> {
    const { driver, runtime, service } = this.#options;
    try {
      const address = await runtime.allocate(service.name);
      const unit = await runtime.start(driver.launch(service, address));
      this.#address = address;
      this.#unit = unit;
      this.send({ kind: "launched", generation, pid: unit.pid });
      const exit = await unit.exited;
      const lines = unit.lastLines();
      const lastLine = lines.findLast((line) => line.trim() !== "");
      this.send({ kind: "exit", generation, failure: driver.classifyExit(exit, lines), lastLine });
    } catch (error) {
      this.send({ kind: "not-launched", generation, failure: notStarted(error) });
    }
  }

  #probeAfter(delay: number, generation: number): () => void {
    const { clock } = this.#options;
    const abort = new AbortController();
    const cancelTimer = clock.after(delay, () => {
      const address = this.#address;
      if (address === undefined) return;
      void this.#probe(address, generation, abort.signal);
    });
    return () => {
      cancelTimer();
      abort.abort();
    };
  }

  async #probe(address: Address, generation: number, signal: AbortSignal): Promise<void> {
    const { driver, rules } = this.#options;
    const health = await probeHealth(address, driver, rules.timing.probeTimeout, signal);
    // A look that was replaced by a newer one has nothing to say.
    if (!signal.aborted) this.send({ kind: "health", generation, health });
  }
}
