import type { Address, EventLog } from "../core/index.ts";
import { present } from "../core/index.ts";
import type { EngineFailure } from "../engines/engine.ts";
import type { PlannedService } from "../plan/plan.ts";
import type { Runtime, StartProgress, Unit } from "../runtimes/runtime.ts";
import type { Lease, ServiceView } from "./backends.ts";
import { Changes } from "./changes.ts";
import type { Clock } from "./clock.ts";
import { notStarted } from "./failures.ts";
import { driverFor, launchEngine } from "./launch-engine.ts";
import type { LaunchSurroundings, LaunchedEngine } from "./launch-engine.ts";
import type { Prepared } from "./launcher.ts";
import { RunningEngine } from "./running-engine.ts";
import { step } from "./service-machine.ts";
import type { Note } from "./service-note.ts";
import { describe } from "./service-note.ts";
import type { Action, Goal, Input, MachineState, Rules } from "./service-state.ts";
import { INITIAL } from "./service-state.ts";
import type { Sidelights } from "./service-view.ts";
import { viewOf } from "./service-view.ts";
import type { Timing } from "./timing.ts";

/** What an engine wrote. */
export interface EngineLog {
  readonly runtime: Runtime["name"];
  /** The newest lines, oldest first. */
  readonly lines: readonly string[];
  /** Where on this machine there is more. */
  readonly file?: string;
}

/** What all keepers of a node share. */
export interface KeeperSurroundings extends LaunchSurroundings {
  readonly events: EventLog;
  readonly clock: Clock;
  readonly timing: Timing;
  /** Milliseconds with work waiting and no progress after which an engine counts as stalled. */
  readonly stall: number;
  /** What is known of a service beside its state. */
  readonly sidelights: (keeper: ServiceKeeper) => Sidelights;
  /** Called after each input that changed something, with the state before it and what it brought about. */
  readonly onInput: (keeper: ServiceKeeper, before: MachineState, notes: readonly Note[]) => void;
  /** Its engine says that something went wrong, and serves on. */
  readonly onComplaint: (keeper: ServiceKeeper, failure: EngineFailure) => void;
}

/** Time that answers have to finish where the plan says nothing. */
const DRAIN_TIMEOUT = 30_000;
/** Least time for a first answer at the end of a slow load. */
const LEAST_WARM_UP = 10_000;

/** The one writer of a service: takes inputs in order, lets the machine decide, and does what it decided. */
export class ServiceKeeper {
  readonly #around: KeeperSurroundings;
  readonly #inbox: Input[] = [];
  readonly #changes = new Changes();
  /** The plan has no such service any more: it is forgotten once it is stopped. */
  leavesForGood = false;
  #service: PlannedService;
  #busy = false;
  #state: MachineState = INITIAL;
  #since: number;
  #engine: RunningEngine | undefined;
  /** Of the engine that ended last. */
  #lastLog: EngineLog | undefined;
  #progress: StartProgress | undefined;
  /** Cancels the look or wait that is under way. */
  #cancel: () => void = () => {};

  constructor(service: PlannedService, around: KeeperSurroundings) {
    this.#service = service;
    this.#around = around;
    this.#since = around.clock.wall();
  }

  get name(): string {
    return this.#service.name;
  }

  /** As it is started next; what runs may still be as it was before. */
  get service(): PlannedService {
    return this.#service;
  }

  set service(service: PlannedService) {
    this.#service = service;
  }

  get state(): MachineState {
    return this.#state;
  }

  /** The engine that exists now. */
  get engine(): RunningEngine | undefined {
    return this.#engine;
  }

  /** What its engine wrote, or the one that ended last; `undefined` before the first. */
  get log(): EngineLog | undefined {
    return this.#engine === undefined ? this.#lastLog : logOf(this.#engine);
  }

  get inFlight(): number {
    return this.#engine?.leases.open ?? 0;
  }

  get view(): ServiceView {
    const view = viewOf(this.#service, this.#state, this.#since, this.#around.sidelights(this));
    if (this.#progress === undefined || this.#state.phase !== "starting") return view;
    const { message, fraction } = this.#progress;
    return { ...view, reason: message, ...(fraction === undefined ? {} : { progress: fraction }) };
  }

  /** Where to send requests, or `undefined` while the service is not ready or a report of a break is looked into. */
  get address(): Address | undefined {
    return this.#open ? this.#engine?.unit.address : undefined;
  }

  get #open(): boolean {
    return this.#state.phase === "ready" && !this.#state.suspect;
  }

  /** The right to one request, or `undefined` while the service takes none. */
  acquire(): Lease | undefined {
    return this.#open ? this.#engine?.lease() : undefined;
  }

  /** Takes nothing new, lets answers finish for at most `limit` ms (the plan's time when absent), then goes for `goal`. */
  drain(goal: Exclude<Goal, "recover">, why: string, limit?: number): void {
    const time = limit ?? this.#service.lifecycle?.drainTimeout ?? DRAIN_TIMEOUT;
    this.send({ kind: "drain", goal, why, limit: time, inFlight: this.inFlight });
  }

  /** What it is started as has changed: what runs is replaced, what sleeps is started afresh when it is asked for. */
  renew(why: string): void {
    const { phase, goal } = this.#state;
    const ending = phase === "stopping" && goal === "recover";
    if (phase === "asleep") this.drain("unload", why);
    else if (ending || RENEWED.has(phase)) this.drain("restart", why);
  }

  /** Takes over an engine that an earlier run of Omni started. */
  adopt(unit: Unit, prepared: Prepared): void {
    if (this.#state.process !== "none") return;
    const driver = driverFor(this.name, prepared.kind, this.#around);
    this.#run(this.#state.generation + 1, this.#service, { unit, driver, prepared });
    this.send({ kind: "adopted", pid: unit.pid });
  }

  /** Looks no more at what runs, and leaves it as it is. */
  letGo(): void {
    this.#cancel();
    this.#engine?.end();
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
    this.#changes.tell();
  }

  /** Resolves with what `settled` returns as soon as that is not `undefined`; it is asked after every change. */
  until<T>(settled: (keeper: ServiceKeeper) => T | undefined, signal?: AbortSignal): Promise<T | undefined> {
    return this.#changes.until(() => settled(this), signal);
  }

  #take(input: Input): void {
    const { clock, events, onInput } = this.#around;
    const before = this.#state;
    const { state, actions, notes } = step(before, input, clock.elapsed(), this.#rules());
    this.#state = state;
    if (state.phase !== before.phase) this.#since = clock.wall();
    for (const note of notes) events.record(describe(note, this.#service, state.pid ?? before.pid));
    for (const action of actions) this.#perform(action);
    // What changed nothing concerns nobody; those who look at each change would look for ever.
    if (state !== before || notes.length > 0) onInput(this, before, notes);
  }

  #rules(): Rules {
    const { restart, loadTimeout, lifecycle } = this.#service;
    const warmUp = (lifecycle?.warmUp ?? false) && this.#engine?.driver.probe !== undefined;
    return { restart, loadTimeout, timing: this.#around.timing, warmUp };
  }

  #perform(action: Action): void {
    const { clock } = this.#around;
    const { generation } = this.#state;
    switch (action.do) {
      case "launch":
        this.#cancel();
        void this.#launch(action.generation);
        return;
      case "kill":
        void this.#engine?.unit.stop(action.deadline);
        return;
      case "probe":
        this.#cancel();
        this.#cancel = this.#probeAfter(action.delay, generation);
        return;
      case "wait":
        this.#cancel();
        this.#cancel = clock.after(action.delay, () => this.send({ kind: "wake" }));
        return;
      case "warm-up":
        this.#cancel();
        this.#cancel = clock.after(action.delay, () => void this.#warmUp(generation));
        return;
      case "put-to-sleep":
      case "rouse":
        void this.#tell(action.do, generation);
        return;
      case "rest":
        this.#cancel();
        return;
    }
  }

  async #launch(generation: number): Promise<void> {
    const service = this.#service;
    this.#progress = undefined;
    try {
      const made = await launchEngine(service, this.#around, {
        isWanted: () => this.#state.phase !== "stopping",
        onProgress: (progress) => (this.#progress = progress),
      });
      this.#run(generation, service, made);
      this.send({ kind: "launched", generation, pid: made.unit.pid });
    } catch (error) {
      this.send({ kind: "not-launched", generation, failure: notStarted(error) });
    }
  }

  /** Watches an engine until it ends. */
  #run(generation: number, service: PlannedService, { unit, driver, prepared }: LaunchedEngine): void {
    const { clock, timing, stall } = this.#around;
    const engine = new RunningEngine(service, unit, driver, prepared, {
      clock,
      timing,
      stall,
      onFault: (failure: EngineFailure) => {
        if (SERVING.has(this.#state.phase)) this.send({ kind: "fault", generation, failure });
      },
      onComplaint: (failure: EngineFailure) => {
        if (this.#engine === engine) this.#around.onComplaint(this, failure);
      },
      onIdle: () => {
        if (this.#engine === engine && this.#state.phase === "draining") this.send({ kind: "drained" });
      },
    });
    this.#engine = engine;
    void this.#awaitEnd(engine, generation);
  }

  async #awaitEnd(engine: RunningEngine, generation: number): Promise<void> {
    const { unit, driver } = engine;
    const exit = await unit.exited;
    engine.end();
    this.#engine = undefined;
    this.#lastLog = logOf(engine);
    const { lines } = this.#lastLog;
    const lastLine = lines.findLast((line) => line.trim() !== "");
    this.send({ kind: "exit", generation, failure: driver.classifyExit(exit, lines), lastLine });
  }

  #probeAfter(delay: number, generation: number): () => void {
    const abort = new AbortController();
    const cancelTimer = this.#around.clock.after(delay, () => void this.#probe(generation, abort.signal));
    return () => {
      cancelTimer();
      abort.abort();
    };
  }

  async #probe(generation: number, signal: AbortSignal): Promise<void> {
    const engine = this.#engine;
    if (engine === undefined) return;
    const health = await engine.health(signal);
    // A look that was replaced by a newer one has nothing to say.
    if (signal.aborted) return;
    this.send({ kind: "health", generation, health });
    if (this.#open) await engine.lookAtWork();
  }

  async #warmUp(generation: number): Promise<void> {
    const { clock } = this.#around;
    const left = this.#state.launchedAt + this.#service.loadTimeout - clock.elapsed();
    const fault = await this.#engine?.firstAnswer(Math.max(LEAST_WARM_UP, left));
    this.send({ kind: "warmed", generation, ...(fault === undefined ? {} : { fault }) });
  }

  async #tell(what: "put-to-sleep" | "rouse", generation: number): Promise<void> {
    const engine = this.#engine;
    const sleep = engine?.driver.sleep;
    const timeout = this.#service.loadTimeout;
    const fault =
      engine === undefined || sleep === undefined
        ? "this engine knows no sleep"
        : await engine.tell(what === "rouse" ? sleep.wake : sleep.sleep, timeout);
    const kind = what === "rouse" ? "woken" : "slept";
    this.send({ kind, generation, ...(fault === undefined ? {} : { fault }) });
  }
}

const logOf = ({ unit, prepared }: RunningEngine): EngineLog => ({
  runtime: prepared.runtime,
  lines: unit.lastLines(),
  ...present({ file: unit.logFile }),
});

/** Phases in which an engine runs, or is about to as it was meant to be before. */
const RENEWED: ReadonlySet<string> = new Set(["starting", "loading", "ready", "draining", "backing-off"]);
/** Phases in which a line of the log or a figure may condemn it: while it loads, its exit tells better. */
const SERVING: ReadonlySet<string> = new Set(["ready", "draining", "asleep"]);
