import { messageOf } from "../core/index.ts";
import type { EngineDriver, EngineFailure, EngineLoad, EngineRequest, Health } from "../engines/engine.ts";
import type { PlannedService } from "../plan/plan.ts";
import type { Unit } from "../runtimes/runtime.ts";
import type { Lease } from "./backends.ts";
import type { Clock } from "./clock.ts";
import { EngineClient } from "./engine-client.ts";
import { probeHealth, probeWork } from "./health-probe.ts";
import type { Prepared } from "./launcher.ts";
import { Leases } from "./leases.ts";
import type { Timing } from "./timing.ts";
import { freshSigns, stalledFor, wantsProof, withLoad, withProof } from "./vital-signs.ts";

export interface EngineWatch {
  readonly clock: Clock;
  readonly timing: Timing;
  /** Milliseconds with work waiting and no progress after which it counts as stalled. */
  readonly stall: number;
  /** Found to be of no use by its log, its figures or its answers. */
  readonly onFault: (failure: EngineFailure) => void;
  /** It says that something went wrong, and serves on. */
  readonly onComplaint: (failure: EngineFailure) => void;
  /** The last request that was being answered has ended. */
  readonly onIdle: () => void;
}

/** Between two complaints of an engine that are told; milliseconds. */
const COMPLAINT_EVERY = 10_000;

/** One engine that runs: its line, its leases, and the signs that it really works. */
export class RunningEngine {
  /** As it was started; the plan may want it otherwise by now. */
  readonly service: PlannedService;
  readonly unit: Unit;
  readonly driver: EngineDriver;
  readonly prepared: Prepared;
  readonly leases: Leases;
  readonly #watch: EngineWatch;
  readonly #client: EngineClient;
  /** What leases tell of it. */
  readonly #asked: { readonly model: string; readonly engine: string; readonly kind: string };
  readonly #ended = new AbortController();
  readonly #ignoreLines: () => void;
  #signs;
  #looking = false;
  #loadAt = Number.NEGATIVE_INFINITY;
  #complainedAt = Number.NEGATIVE_INFINITY;

  constructor(
    service: PlannedService,
    unit: Unit,
    driver: EngineDriver,
    prepared: Prepared,
    watch: EngineWatch,
  ) {
    this.service = service;
    this.unit = unit;
    this.driver = driver;
    this.prepared = prepared;
    this.#watch = watch;
    this.#client = new EngineClient(unit.address);
    this.#signs = freshSigns(watch.clock.elapsed());
    this.leases = new Leases(watch.onIdle);
    const { servedName } = prepared.target;
    this.#asked = { model: servedName, engine: service.engine.name, kind: prepared.kind };
    this.#ignoreLines = unit.onLine((line) => {
      const failure = driver.classifyLine(line);
      if (failure?.goesOn === true) this.#complain(failure);
      else if (failure !== undefined) watch.onFault(failure);
    });
  }

  get load(): EngineLoad | undefined {
    return this.#signs.load;
  }

  /** It was started so that it can free its cards and keep its process. */
  get canSleep(): boolean {
    const { sleep } = this.driver;
    if (sleep === undefined) return false;
    const { command, environment } = this.prepared.launch(this.unit.address);
    return (
      sleep.arguments.every((argument) => command.includes(argument)) &&
      Object.keys(sleep.environment).every((name) => environment[name] === sleep.environment[name])
    );
  }

  lease(): Lease {
    return this.leases.take(this.unit.address, this.#asked, () => this.#watch.clock.elapsed());
  }

  health(signal: AbortSignal): Promise<Health> {
    const { driver, prepared } = this;
    return probeHealth(this.#client, driver, prepared.target, this.#watch.timing.probeTimeout, signal);
  }

  /** One request for one token: why it had no good answer, or `undefined`. */
  async firstAnswer(timeout: number): Promise<string | undefined> {
    const { prepared, driver } = this;
    const fault = await probeWork(this.#client, driver, prepared.target, timeout, this.#ended.signal);
    this.#signs = freshSigns(this.#watch.clock.elapsed());
    return fault?.reason;
  }

  /** A call that changes the engine, such as sleep: why it failed, or `undefined`. */
  async tell(request: EngineRequest, timeout: number): Promise<string | undefined> {
    try {
      const { status, body } = await this.#client.ask(request, timeout, this.#ended.signal);
      return status < 300 ? undefined : `it answered ${status} with ${body.slice(0, 120)}`;
    } catch (error) {
      return messageOf(error);
    }
  }

  /** Somebody had a wrong answer: it is asked for a token at the next look, busy or not. */
  suspect(): void {
    this.#signs = { ...this.#signs, suspected: true };
  }

  /** Looks at its figures and asks it for a token, each when it is time; called after each good look at its health. */
  async lookAtWork(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      await this.#readLoad();
      await this.#askForProof();
    } finally {
      this.#looking = false;
    }
  }

  /** Its process is gone. */
  end(): void {
    this.#ended.abort();
    this.#ignoreLines();
    this.#client.close();
  }

  /** Each request may write the same complaint: it is told now and then. */
  #complain(failure: EngineFailure): void {
    const now = this.#watch.clock.elapsed();
    if (now - this.#complainedAt < COMPLAINT_EVERY) return;
    this.#complainedAt = now;
    this.#watch.onComplaint(failure);
  }

  async #readLoad(): Promise<void> {
    const { clock, timing, stall, onFault } = this.#watch;
    const { load } = this.driver;
    if (load === undefined || clock.elapsed() - this.#loadAt < timing.loadEvery) return;
    this.#loadAt = clock.elapsed();
    try {
      const { status, body } = await this.#client.ask(load.request, timing.probeTimeout, this.#ended.signal);
      if (status !== 200) return;
      const now = clock.elapsed();
      this.#signs = withLoad(this.#signs, load.read(body), now);
      const failure = stalledFor(this.#signs, now, stall);
      if (failure !== undefined) onFault(failure);
    } catch {
      // Figures that do not come say nothing; health tells whether it answers.
    }
  }

  async #askForProof(): Promise<void> {
    const { clock, timing, onFault } = this.#watch;
    const { driver, leases, prepared } = this;
    if (driver.probe === undefined) return;
    const began = clock.elapsed();
    if (!wantsProof(this.#signs, leases.open, began, timing.workEvery)) return;
    const { signal } = this.#ended;
    const fault = await probeWork(this.#client, driver, prepared.target, timing.workTimeout, signal);
    // Behind somebody's request it may have waited in a queue, which is no fault.
    if (signal.aborted || (fault?.kind === "silent" && leases.changedAt > began)) return;
    const { signs, failure } = withProof(this.#signs, fault, clock.elapsed());
    this.#signs = signs;
    if (failure !== undefined) onFault(failure);
  }
}
