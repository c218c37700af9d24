import type { Plan, PlannedService } from "../../src/plan/plan.ts";
import type { ServiceState } from "../../src/supervisor/backends.ts";
import type { LoadControl } from "../../src/supervisor/load-control.ts";
import type { ResidencyKeeper } from "../../src/supervisor/residency/index.ts";
import { fakePlan, fakeService } from "./fake-driver.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** A model of the world: how long it takes to load, and which of its loads fail. */
export interface WorldService {
  readonly name: string;
  readonly devices: readonly string[];
  readonly loadTime: number;
  readonly fails?: (attempt: number) => boolean;
  readonly priority?: number;
  readonly pinned?: boolean;
  readonly ttl?: number | false;
}

export interface WorldSet {
  readonly services: readonly string[];
  readonly standing: string;
}

export type DecisionMaker = Pick<
  ResidencyKeeper,
  "demand" | "leaseTaken" | "leaseReleased" | "stateChanged" | "start"
>;

interface Real {
  state: ServiceState;
  since: number;
  inFlight: number;
  attempts: number;
  cancel: () => void;
  drained: () => void;
}

interface Waiting {
  readonly services: readonly string[];
  readonly at: number;
  readonly takes: number;
  readonly withdraw: () => void;
  readonly giveUp: () => void;
}

export function worldPlan(
  services: readonly WorldService[],
  sets: readonly WorldSet[],
  routes: readonly (readonly string[])[] = [],
): Plan {
  const planned = services.map((service): PlannedService =>
    fakeService(
      service.name,
      {},
      {
        devices: service.devices,
        lifecycle: {
          priority: service.priority ?? 5,
          pinned: service.pinned ?? false,
          ...(service.ttl === undefined ? {} : { ttl: service.ttl }),
          after: [],
          drainTimeout: 30_000,
          warmUp: false,
          strategy: "recreate",
        },
      },
    ),
  );
  return {
    ...fakePlan(planned),
    routes: routes.map((names) => ({ name: names.join("-"), services: names })),
    swapSets: sets.map(({ services: names, standing }) => ({
      name: `swap-${standing}`,
      services: names,
      standing,
      devices: [
        ...new Set(services.filter(({ name }) => names.includes(name)).flatMap(({ devices }) => devices)),
      ],
      reserves: [],
    })),
  };
}

const HOLDS: ReadonlySet<ServiceState> = new Set<ServiceState>([
  "starting",
  "loading",
  "ready",
  "draining",
  "stopping",
  "backing-off",
]);

/** Engines that take time to load and requests that take time to answer, in virtual time; it keeps count of what came of it. */
export class ResidencyWorld implements LoadControl {
  /** Milliseconds from a request to its answer's begin, by its first choice. */
  readonly waits: {
    readonly service: string;
    readonly by: string;
    readonly wait: number;
    readonly at: number;
  }[] = [];
  /** Loads that began, and unloads with what the service had been at that moment. */
  readonly loads: { readonly service: string; readonly at: number }[] = [];
  readonly unloads: {
    readonly service: string;
    readonly at: number;
    readonly readyFor: number | undefined;
    readonly why: string;
  }[] = [];
  /** Moments at which two held a device that only one may hold. */
  readonly clashes: string[] = [];
  /** Requests that gave up, and answers that were cut by a stop. */
  gaveUp = 0;
  cut = 0;
  maker: DecisionMaker | undefined;
  readonly #clock: VirtualClock;
  readonly #services: ReadonlyMap<string, WorldService>;
  readonly #real: Map<string, Real>;
  readonly #exclusive: (one: string, other: string) => boolean;
  #waiting: Waiting[] = [];

  constructor(clock: VirtualClock, services: readonly WorldService[], sets: readonly WorldSet[]) {
    this.#clock = clock;
    this.#services = new Map(services.map((service) => [service.name, service]));
    this.#real = new Map(
      services.map(({ name }) => [
        name,
        { state: "unloaded", since: 0, inFlight: 0, attempts: 0, cancel: () => {}, drained: () => {} },
      ]),
    );
    const devicesOf = (name: string): readonly string[] => this.#services.get(name)?.devices ?? [];
    this.#exclusive = (one, other) =>
      one !== other &&
      sets.some((set) => set.services.includes(one) && set.services.includes(other)) &&
      devicesOf(one).some((device) => devicesOf(other).includes(device));
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get inFlight(): number {
    return [...this.#real.values()].reduce((sum, { inFlight }) => sum + inFlight, 0);
  }

  stateOf(service: string): ServiceState {
    return this.#of(service).state;
  }

  load(service: string): void {
    const real = this.#of(service);
    const attempt = real.attempts++;
    this.loads.push({ service, at: this.#clock.now });
    for (const [other, { state }] of this.#real)
      if (HOLDS.has(state) && this.#exclusive(service, other))
        this.clashes.push(`${service} is loaded at ${this.#clock.now} while ${other} is ${state}`);
    this.#set(service, "starting");
    const about = this.#services.get(service);
    real.cancel = this.#clock.after(about?.loadTime ?? 0, () => {
      this.#set(service, about?.fails?.(attempt) === true ? "failed" : "ready");
      this.#admit();
    });
  }

  unload(service: string, how: { readonly why: string; readonly drain: number }): void {
    const real = this.#of(service);
    const readyFor = real.state === "ready" ? this.#clock.now - real.since : undefined;
    this.unloads.push({ service, at: this.#clock.now, readyFor, why: how.why });
    real.cancel();
    const end = (): void => {
      cancel();
      real.drained = () => {};
      this.cut += real.inFlight;
      this.#set(service, "stopping");
      real.cancel = this.#clock.after(500, () => this.#set(service, "unloaded"));
    };
    const cancel = this.#clock.after(how.drain, end);
    this.#set(service, "draining");
    real.drained = end;
    if (real.inFlight === 0) end();
  }

  /** A request that is happy with any of these and takes `takes` ms to answer; it waits at most `patience` ms. */
  request(services: readonly string[], takes: number, patience = Infinity): void {
    const there = services.find((service) => this.stateOf(service) === "ready");
    const at = this.#clock.now;
    if (there !== undefined) {
      this.#answer(there, { services, at, takes });
      return;
    }
    const withdraw = this.maker?.demand(services) ?? ((): void => {});
    const waiting: Waiting = {
      services,
      at,
      takes,
      withdraw,
      giveUp: Number.isFinite(patience)
        ? this.#clock.after(patience, () => {
            this.#waiting = this.#waiting.filter((other) => other !== waiting);
            this.gaveUp++;
            withdraw();
          })
        : (): void => {},
    };
    this.#waiting.push(waiting);
    this.#admit();
  }

  #admit(): void {
    for (const waiting of this.#waiting) {
      const there = waiting.services.find((service) => this.stateOf(service) === "ready");
      if (there === undefined) continue;
      this.#waiting = this.#waiting.filter((other) => other !== waiting);
      waiting.giveUp();
      this.#answer(there, waiting);
      waiting.withdraw();
    }
  }

  #answer(service: string, about: Pick<Waiting, "services" | "at" | "takes">): void {
    const real = this.#of(service);
    const wait = this.#clock.now - about.at;
    this.waits.push({ service: about.services[0] ?? "", by: service, wait, at: this.#clock.now });
    real.inFlight++;
    this.maker?.leaseTaken(service);
    this.#clock.after(about.takes, () => {
      real.inFlight--;
      this.maker?.leaseReleased(service);
      if (real.inFlight === 0) real.drained();
    });
  }

  #set(service: string, state: ServiceState): void {
    const real = this.#of(service);
    real.state = state;
    real.since = this.#clock.now;
    this.maker?.stateChanged(service, state);
  }

  #of(service: string): Real {
    const real = this.#real.get(service);
    if (real === undefined) throw new Error(`no service ${service}`);
    return real;
  }
}
