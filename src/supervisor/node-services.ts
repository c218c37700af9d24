import type { Diagnostic } from "../core/index.ts";
import type { EngineFailure } from "../engines/engine.ts";
import type { Plan, PlannedService } from "../plan/plan.ts";
import type { Lease } from "./backends.ts";
import { CardFaults } from "./card-faults.ts";
import type { Clock } from "./clock.ts";
import { eventsAbout } from "./events-about.ts";
import { loadControl } from "./load-orders.ts";
import type { PlannedChange } from "./plan-changes.ts";
import { planChanges } from "./plan-changes.ts";
import { POLICIES } from "./policies.ts";
import { Replanning } from "./replanning.ts";
import type { ResidencyKeeper } from "./residency/index.ts";
import { createResidencyKeeper } from "./residency/index.ts";
import { ServiceKeeper } from "./service-keeper.ts";
import type { KeeperSurroundings } from "./service-keeper.ts";
import type { Note } from "./service-note.ts";
import type { MachineState } from "./service-state.ts";
import { sidelightsOf } from "./sidelights.ts";
import { troubleOf } from "./service-trouble.ts";
import { StartGate } from "./start-gate.ts";
import { StartReview } from "./start-review.ts";
import { Stepping } from "./stepping.ts";
import { sharedLease, sharingServices } from "./shared-leases.ts";
import type { SupervisorOptions } from "./supervisor.ts";
import { TIMING } from "./timing.ts";

/** Milliseconds of a load, where neither a measurement nor a driver tells. */
const LOAD_TIME = 30_000;
/** The services of a node: their keepers, and those who decide about loading, stepping and planning again. */
export class NodeServices {
  readonly keepers = new Map<string, ServiceKeeper>();
  readonly residency: ResidencyKeeper;
  readonly stepping: Stepping;
  readonly replanning: Replanning;
  readonly #options: SupervisorOptions;
  readonly #gate: StartGate;
  readonly #faults: CardFaults | undefined;
  readonly #around: KeeperSurroundings;
  readonly #review: StartReview;
  /** Services of which leases matter to others: they share cards, or are unloaded when idle. */
  #shared: ReadonlySet<string> = new Set();
  #plan: Plan;
  #closed = false;

  constructor(options: SupervisorOptions, clock: Clock) {
    this.#options = options;
    this.#plan = options.plan;
    this.#review = new StartReview(options);
    const { events, watch, timing = TIMING, policies = POLICIES, cards = new Map() } = options;
    const keepers = (): Iterable<ServiceKeeper> => this.keepers.values();
    this.#gate = new StartGate({
      keepers,
      swapSets: () => this.#plan.swapSets ?? [],
      events,
      clock,
      timing,
      watch,
      cards,
      onShortfall: (keeper, missing) => void this.stepping.predicted(keeper, missing),
    });
    this.#around = {
      ...options,
      clock,
      timing,
      stall: policies.watch.stall,
      sidelights: (keeper) => sidelightsOf(keeper, this, this.#options.simulated === true),
      onInput: (keeper, before, notes) => this.#follow(keeper, before, notes),
      onComplaint: (keeper, failure) => this.#hear(keeper, failure),
    };
    for (const service of options.plan.services)
      this.keepers.set(service.name, new ServiceKeeper(service, this.#around));
    this.replanning = new Replanning({
      replanner: options.replanner,
      events,
      plan: () => this.#plan,
      apply: (plan) => this.#apply(this.#withUnplaced(plan)),
    });
    this.#shared = sharingServices(this.#plan);
    this.residency = createResidencyKeeper({
      plan: options.plan,
      policies,
      clock,
      // Loading a service that takes no turns is its own event already.
      events: eventsAbout(events, clock, (service) => this.#shared.has(service)),
      control: loadControl(this.keepers, this.replanning, () => this.#closed),
      canSleep: (service) => this.#driverOf(service)?.sleep !== undefined,
      loadTime: (service) => this.#loadTime(service),
    });
    this.stepping = new Stepping({
      plan: options.plan,
      policies,
      clock,
      events,
      watch,
      cards,
      keeperOf: (service) => this.keepers.get(service),
      keepers,
      ban: (service, by) => this.residency.ban(service, by),
      unban: (service, by) => this.residency.unban(service, by),
      toNextEngine: (keeper, because) => this.replanning.stepToNextEngine(keeper, because),
      backFromNextEngine: (keeper) => this.replanning.stepBack(keeper),
    });
    this.#faults =
      watch === undefined
        ? undefined
        : new CardFaults({
            watch,
            cards,
            keepers,
            replanning: this.replanning,
            events,
            clock,
            coolDown: policies.watch.coolDown,
          });
  }

  get plan(): Plan {
    return this.#plan;
  }

  /** Loads what is to be there without being asked for; the rest is there on request. */
  begin(): void {
    this.residency.start();
    this.#waitForRequests();
  }

  /** Decides nothing any more. Engines are left as they are. */
  close(): void {
    this.#closed = true;
    this.#gate.close();
    this.residency.close();
    this.stepping.close();
    this.replanning.close();
    this.#faults?.close();
  }

  acquire(service: string): Lease | undefined {
    const lease = this.keepers.get(service)?.acquire();
    if (lease === undefined || !this.#shared.has(service)) return lease;
    return sharedLease(lease, service, this.residency);
  }

  preview(plan: Plan): Promise<readonly PlannedChange[]> {
    return planChanges({
      plan,
      running: this.keepers,
      hasLost: (devices) => this.replanning.hasLost(devices),
      launcher: this.#options.launcher,
      wanted: (service) => this.stepping.wanted(service, this.#planned(service.name)),
    });
  }

  /** The owner's new plan. */
  async apply(plan: Plan): Promise<void> {
    this.replanning.forgetFailures();
    await this.#apply(plan);
  }

  diagnostics(): readonly Diagnostic[] {
    const troubles = [...this.keepers.values()].flatMap(troubleOf);
    return [...this.#plan.diagnostics, ...troubles, ...this.#review.findings()];
  }

  #planned(name: string): PlannedService | undefined {
    return this.#plan.services.find((service) => service.name === name);
  }

  /** Stops first, then restarts, then starts: the gate lets each wait for the cards that it needs. */
  async #apply(plan: Plan): Promise<void> {
    const changes = await this.preview(plan);
    if (this.#closed) return;
    const wanted = plan.services.map((service) => this.stepping.wanted(service, this.#planned(service.name)));
    this.#plan = plan;
    for (const service of plan.services) {
      const keeper = this.keepers.get(service.name);
      if (keeper === undefined) this.keepers.set(service.name, new ServiceKeeper(service, this.#around));
      else keeper.leavesForGood = false;
    }
    this.stepping.replan(plan);
    const by = (change: PlannedChange["change"]): readonly PlannedChange[] =>
      changes.filter((one) => one.change === change);
    for (const { service, why } of by("stop")) this.#dismiss(service, why);
    for (const service of wanted) {
      const keeper = this.keepers.get(service.name);
      if (keeper !== undefined) keeper.service = service;
    }
    for (const { service, why } of by("restart")) this.keepers.get(service)?.renew(why);
    this.residency.replan(plan);
    this.#shared = sharingServices(this.#plan);
    for (const { service, why } of by("start")) {
      const keeper = this.keepers.get(service);
      // What is new is loaded by whoever decides about cards; what had failed is tried again.
      if (keeper !== undefined && keeper.state.generation > 0)
        keeper.send({ kind: "start", why, anew: true });
    }
    this.#waitForRequests();
    this.#gate.arrange();
  }

  /** What nobody loads now is there on request. */
  #waitForRequests(): void {
    for (const keeper of this.keepers.values())
      if (keeper.state.phase === "stopped" && keeper.state.generation === 0)
        keeper.drain("unload", `${this.residency.outlook(keeper.name).because}; a request loads it.`);
  }

  #dismiss(service: string, why: string): void {
    const keeper = this.keepers.get(service);
    if (keeper === undefined) return;
    keeper.leavesForGood = true;
    keeper.drain("stop", why);
    if (keeper.state.phase === "stopped") this.keepers.delete(service);
  }

  /** A plan made in need may have no place for a service: what runs of it goes on, and what failed stays known. */
  #withUnplaced(plan: Plan): Plan {
    const unplaced = this.#plan.services.filter(
      ({ name }) => !plan.services.some((service) => service.name === name),
    );
    return unplaced.length === 0 ? plan : { ...plan, services: [...plan.services, ...unplaced] };
  }

  /** What follows for others from what happened to one service. */
  #follow(keeper: ServiceKeeper, before: MachineState, notes: readonly Note[]): void {
    this.#gate.arrange();
    if (this.#closed) return;
    const { name, state } = keeper;
    const failure = failureOf(notes);
    // First of all, so that nobody is given its card in between.
    const steppedDown = this.#stepDown(keeper, before, failure);
    for (const note of notes) {
      if (note.is === "ready") void this.#review.ready(keeper, note, this.#gate.lastLook(keeper));
      if (note.is === "starting") this.#review.starting(name);
    }
    if (state.phase !== before.phase) {
      this.residency.stateChanged(name, state.phase);
      if (state.phase === "ready") this.stepping.ladder.ready(name);
      else if (GONE.has(state.phase)) this.stepping.ladder.gone(name);
      if (keeper.leavesForGood && state.phase === "stopped") this.keepers.delete(name);
    }
    if (failure === undefined || failure.code === "gpu.lost" || state.phase !== "failed") return;
    if (steppedDown) keeper.send({ kind: "start", why: "It has stepped down.", anew: true });
    else this.replanning.engineFailed(keeper, state.failure ?? failure);
  }

  /** The ladder may have something to try. What was ended by Omni was told when that began. */
  #stepDown(keeper: ServiceKeeper, before: MachineState, failure: EngineFailure | undefined): boolean {
    return (
      failure !== undefined &&
      failure.code !== "gpu.lost" &&
      before.phase !== "stopping" &&
      this.stepping.failed(keeper, failure)
    );
  }

  /** An engine that says what went wrong and serves on: the ladder may help, a restart would not. */
  #hear(keeper: ServiceKeeper, failure: EngineFailure): void {
    const { code, hint } = failure;
    this.#options.events.record({
      kind: "service.complains",
      severity: "warning",
      service: keeper.name,
      message: `${keeper.name} goes on after this: ${failure.message} ${hint}`,
      data: { code, hint },
    });
    if (!this.#closed) this.stepping.failed(keeper, failure);
  }

  #driverOf(name: string): ReturnType<SupervisorOptions["driverOf"]> {
    const engine = this.keepers.get(name)?.service.engine;
    return engine === undefined ? undefined : this.#options.driverOf(engine.kind ?? engine.name);
  }

  #loadTime(name: string): number {
    const keeper = this.keepers.get(name);
    const measured = this.#options.measured?.loadTime(name);
    if (measured !== undefined || keeper === undefined) return measured ?? LOAD_TIME;
    return this.#driverOf(name)?.loadTime(keeper.service) ?? LOAD_TIME;
  }
}

/** Phases in which it holds no memory of a card. */
const GONE: ReadonlySet<string> = new Set(["stopped", "unloaded", "asleep", "failed"]);

/** What made an engine fail, where one did. */
function failureOf(notes: readonly Note[]): EngineFailure | undefined {
  for (const note of notes) {
    if (note.is === "gave-up") return note.cause;
    if (note.is === "crashed" || note.is === "condemned" || note.is === "failed") return note.failure;
  }
  return undefined;
}
