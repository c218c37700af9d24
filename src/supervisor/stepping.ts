import type { EventLog } from "../core/index.ts";
import type { EngineFailure } from "../engines/engine.ts";
import type { Plan, PlannedService } from "../plan/plan.ts";
import type { Watch } from "../watch/reading.ts";
import type { Diversion, LadderView } from "./backends.ts";
import type { Clock } from "./clock.ts";
import type { Effective, LadderKeeper } from "./ladder/index.ts";
import { createLadderKeeper, effectiveService } from "./ladder/index.ts";
import type { CardIdentity, Shortfall } from "./memory-wait.ts";
import { findCard } from "./memory-wait.ts";
import type { SupervisorPolicies } from "./policies.ts";
import type { ServiceKeeper } from "./service-keeper.ts";

export interface SteppingOptions {
  readonly plan: Plan;
  readonly policies: SupervisorPolicies;
  readonly clock: Clock;
  readonly events: EventLog;
  readonly watch: Watch | undefined;
  readonly cards: ReadonlyMap<string, CardIdentity>;
  readonly keeperOf: (service: string) => ServiceKeeper | undefined;
  readonly keepers: () => Iterable<ServiceKeeper>;
  /** A service has to be away for another's sake, or may be there again. */
  readonly ban: (service: string, by: string) => void;
  readonly unban: (service: string, by: string) => void;
  readonly toNextEngine: (keeper: ServiceKeeper, because: string) => void;
  readonly backFromNextEngine: (keeper: ServiceKeeper) => void;
}

/** Between looks at which processes are Omni's own; milliseconds. */
const OWN_EVERY = 15_000;

/** Carries the ladder's decisions out: restarts with other settings, diversions, evictions, other engines. */
export class Stepping {
  readonly ladder: LadderKeeper;
  readonly #options: SteppingOptions;
  readonly #diversions = new Map<string, Diversion>();
  /** Services that another engine stands in for, as they were planned before. */
  readonly #moved = new Map<string, PlannedService>();
  readonly #ignore: (() => void) | undefined;
  #own: ReadonlySet<number> = new Set();
  #ownAt = Number.NEGATIVE_INFINITY;

  constructor(options: SteppingOptions) {
    this.#options = options;
    this.ladder = createLadderKeeper({
      plan: options.plan,
      policies: options.policies,
      clock: options.clock,
      events: options.events,
      cards: uuidsOf(options.cards, options.watch),
      ownProcesses: () => this.#own,
      onChange: (service, effective) => this.#change(service, effective),
      evict: options.ban,
      restore: options.unban,
    });
    this.#ignore = options.watch?.onReading((reading) => {
      void this.#lookForOwn();
      this.ladder.reading(reading);
    });
  }

  close(): void {
    this.#ignore?.();
  }

  /**
   * How a service of a plan would be started now: as planned, or as many rungs down as it is where `before`, its plan until
   * now, had the same ladder.
   */
  wanted(planned: PlannedService, before: PlannedService | undefined): PlannedService {
    if (before === undefined || this.#moved.has(planned.name)) return planned;
    if (JSON.stringify(before.ladder) !== JSON.stringify(planned.ladder)) return planned;
    return effectiveService(planned, this.ladder.effective(planned.name).rungs).service;
  }

  /** Goes on with another plan. */
  replan(plan: Plan): void {
    const services = plan.services.map((service) => this.#moved.get(service.name) ?? service);
    this.ladder.replan({ ...plan, services });
  }

  viewOf(service: string): LadderView | undefined {
    return this.ladder.viewOf(service);
  }

  diversion(service: string): Diversion | undefined {
    return this.#diversions.get(service);
  }

  /** True when a start with what has changed is worth a try. */
  failed({ name }: ServiceKeeper, failure: EngineFailure): boolean {
    return this.ladder.failed(name, failure);
  }

  predicted({ name }: ServiceKeeper, missing: readonly Shortfall[]): boolean {
    return this.ladder.predicted(
      name,
      missing.map(({ device, needed, free }) => ({ device, bytes: needed - free })),
    );
  }

  #change(name: string, effective: Effective): void {
    const keeper = this.#options.keeperOf(name);
    this.#divert(name, effective);
    if (keeper === undefined) return;
    const why = this.ladder.viewOf(name)?.because ?? "It runs as planned again.";
    const moved = this.#moved.get(name);
    if (effective.nextEngine) {
      if (moved !== undefined) return;
      this.#moved.set(name, keeper.service);
      this.#options.toNextEngine(keeper, why);
      return;
    }
    if (moved !== undefined) {
      this.#moved.delete(name);
      this.#options.backFromNextEngine(keeper);
      return;
    }
    keeper.service = effective.service;
    if (effective.restartNeeded) keeper.renew(why);
  }

  #divert(name: string, { longPrompts, divertedTo }: Effective): void {
    if (divertedTo !== undefined) this.#diversions.set(name, { to: divertedTo });
    else if (longPrompts === undefined) this.#diversions.delete(name);
    else this.#diversions.set(name, longPrompts);
  }

  /** Which processes are Omni's, so that another's memory is told by name. */
  async #lookForOwn(): Promise<void> {
    const { clock, keepers } = this.#options;
    if (clock.elapsed() - this.#ownAt < OWN_EVERY) return;
    this.#ownAt = clock.elapsed();
    const units = [...keepers()].flatMap(({ engine }) => engine?.unit ?? []);
    const pids = await Promise.all(units.map((unit) => unit.processes().catch(() => [])));
    this.#own = new Set(pids.flat());
  }
}

function uuidsOf(
  cards: ReadonlyMap<string, CardIdentity>,
  watch: Watch | undefined,
): ReadonlyMap<string, string> {
  const seen = watch?.latest()?.cards ?? [];
  return new Map(
    [...cards].flatMap(([device, card]) => {
      const uuid = card.uuid ?? findCard(seen, card)?.uuid;
      return uuid === undefined ? [] : [[device, uuid]];
    }),
  );
}
