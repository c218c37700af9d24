import type { EventLog, NewEvent } from "../../core/index.ts";
import type { EngineFailure } from "../../engines/engine.ts";
import type { Plan } from "../../plan/plan.ts";
import type { CardReading, Reading } from "../../watch/reading.ts";
import type { LadderView } from "../backends.ts";
import type { Clock } from "../clock.ts";
import type { Effective } from "./effective-service.ts";
import { DeviceWatch } from "./device-watch.ts";
import { foreignMemory } from "./foreign-memory.ts";
import { devicesOf } from "./ladder-devices.ts";
import type { Amount } from "./ladder-devices.ts";
import { LadderService } from "./ladder-service.ts";
import { causeText } from "./ladder-note.ts";
import type { Cause, LadderInput, Missing } from "./ladder-state.ts";
import { whoDoesLess, whoMakesRoom } from "./step-order.ts";
import type { Candidate } from "./step-order.ts";

/** What the owner's policies say about the ladder. Milliseconds, degrees Celsius. */
export interface LadderPolicies {
  readonly headroom: { readonly vram: Amount; readonly memory: Amount };
  readonly watch: {
    /** Free memory of a card below which services step down; the headroom when absent. */
    readonly lowVram?: Amount | undefined;
    readonly maxTemperature: number;
    readonly coolDown: number;
  };
}

export type LadderPlan = Pick<Plan, "services" | "ledger">;

export interface LadderKeeperOptions {
  readonly plan: LadderPlan;
  readonly policies: LadderPolicies;
  readonly clock: Clock;
  readonly events: EventLog;
  /** Devices of the plan that are cards of this machine, with the identity that the watch knows them by (UUID). */
  readonly cards: ReadonlyMap<string, string>;
  /** Name of this machine's main memory in the plan; `cpu` when absent. */
  readonly hostDevice?: string;
  /** Processes of this machine that belong to Omni's engines, where known: others on a card are named as such. */
  readonly ownProcesses?: () => ReadonlySet<number>;
  /** The service is to run like this from now on. May call back (`ready`, `failed`) before it returns. */
  readonly onChange: (service: string, effective: Effective) => void;
  /**
   * `service` has to be unloaded for the sake of `by`, until `restore`. Both are the same for a service whose requests all
   * go elsewhere.
   */
  readonly evict: (service: string, by: string) => void;
  readonly restore: (service: string, by: string) => void;
}

/** Steps services down and up. It has no timer: time passes with the readings. */
export interface LadderKeeper {
  /** To be called with every look of the watch. */
  reading(reading: Reading): void;
  /** An engine failed; true when the ladder changed something because of it, so that a start is worth another try. */
  failed(service: string, failure: EngineFailure): boolean;
  /** The start would not fit: bytes that are missing by device. True when the ladder changed something. */
  predicted(service: string, missing: readonly Missing[]): boolean;
  /** The service is loaded and answers. */
  ready(service: string): void;
  /** The service holds no memory any more. */
  gone(service: string): void;
  /** Its owner wants one rung down or up; false when there is none. What was stepped down by hand stays so. */
  step(service: string, direction: "down" | "up"): boolean;
  /** `undefined` for a service as planned. */
  viewOf(service: string): LadderView | undefined;
  /** How the service is to run now. Throws RangeError for a service that is not in the plan. */
  effective(service: string): Effective;
  /** Goes on with another plan: services whose ladder is the same stay on their rung, others start as planned. */
  replan(plan: LadderPlan): void;
}

/** The one writer of all ladders of a node: looks at devices, chooses who steps, and does what the machines decide. */
class NodeLadders implements LadderKeeper {
  readonly #options: LadderKeeperOptions;
  #devices: readonly DeviceWatch[] = [];
  #services = new Map<string, LadderService>();

  constructor(options: LadderKeeperOptions) {
    this.#options = options;
    this.replan(options.plan);
  }

  replan(plan: LadderPlan): void {
    const { policies } = this.#options;
    const known = this.#devices;
    this.#devices = devicesOf({ ...this.#options, plan }).map(
      (device) =>
        new DeviceWatch(
          device,
          known.find((other) => other.device.device === device.device),
        ),
    );
    const kept = new Map(this.#devices.map(({ device }) => [device.device, device.kept]));
    const rules = { coolDown: policies.watch.coolDown, kept };
    const before = this.#services;
    const after = new Map<string, LadderService>();
    const followed = new Set<string>();
    for (const service of plan.services) {
      const old = before.get(service.name);
      const same = JSON.stringify(old?.planned.ladder) === JSON.stringify(service.ladder);
      if (same) followed.add(service.name);
      after.set(service.name, new LadderService(service, rules, this.#options, same ? old : undefined));
    }
    this.#services = after;
    for (const [name, old] of before) if (!followed.has(name)) old.forget();
  }

  reading(reading: Reading): void {
    const { clock, policies } = this.#options;
    for (const watch of this.#devices) watch.look(reading, policies.watch.maxTemperature, clock.elapsed());
    for (const service of this.#services.values()) {
      if (service.isSettled) continue;
      const rooms = this.#devices
        .filter(({ device }) => service.concerns(device.device))
        .map(({ room }) => room);
      this.#tell(service, { kind: "room", rooms });
    }
    for (const watch of this.#devices) {
      const cause = watch.cause((card) => this.#foreign(watch.device.device, card));
      if (cause !== undefined && watch.mayStep(clock.elapsed())) this.#relieve(watch, cause);
    }
  }

  failed(name: string, failure: EngineFailure): boolean {
    const service = this.#services.get(name);
    if (service === undefined) return false;
    service.loaded = false;
    return this.#tell(service, { kind: "failed", failure });
  }

  predicted(name: string, missing: readonly Missing[]): boolean {
    return this.#tell(this.#services.get(name), { kind: "predicted", missing });
  }

  ready(name: string): void {
    const service = this.#services.get(name);
    if (service === undefined) return;
    service.loaded = true;
    this.#tell(service, { kind: "ready" });
    this.#settled(name);
  }

  gone(name: string): void {
    const service = this.#services.get(name);
    if (service !== undefined) service.loaded = false;
    this.#settled(name);
  }

  step(name: string, direction: "down" | "up"): boolean {
    return this.#tell(this.#services.get(name), { kind: "step", direction });
  }

  viewOf(name: string): LadderView | undefined {
    return this.#services.get(name)?.view;
  }

  effective(name: string): Effective {
    const service = this.#services.get(name);
    if (service === undefined) throw new RangeError(`${name} is not in the plan`);
    return service.effective;
  }

  /** True when the service changed; its devices are then left alone until the effect has shown. */
  #tell(service: LadderService | undefined, input: LadderInput): boolean {
    if (service === undefined) return false;
    return service.send(input, () => {
      const restarting = service.state.pending ? service.planned : undefined;
      for (const watch of this.#devices)
        if (service.isOn(watch.device.device)) watch.settle(this.#options.clock.elapsed(), restarting);
    });
  }

  #settled(name: string): void {
    for (const watch of this.#devices) watch.settled(name, this.#options.clock.elapsed());
  }

  #relieve(watch: DeviceWatch, cause: Cause): void {
    const { device } = watch.device;
    const { missing } = watch;
    const candidates = this.#candidatesOn(device);
    const chosen = cause.is === "heat" ? whoDoesLess(candidates) : whoMakesRoom(candidates, device, missing);
    const service = chosen === undefined ? undefined : this.#services.get(chosen);
    const pressure = { kind: "pressure", cause, missing: [{ device, bytes: missing }] } as const;
    if (this.#tell(service, pressure) || watch.told) return;
    watch.told = true;
    this.#options.events.record(helpless(device, cause, candidates));
  }

  #candidatesOn(device: string): readonly Candidate[] {
    return [...this.#services.values()]
      .filter((service) => service.loaded && service.isOn(device) && !service.state.pending)
      .map((service) => ({
        service: service.planned.name,
        priority: service.priority,
        rungs: service.rules.rungs,
        rung: service.state.rung,
      }));
  }

  #foreign(device: string, card: CardReading): string | undefined {
    const planned = [...this.#services.values()].reduce((sum, service) => sum + service.takes(device), 0);
    return foreignMemory(card, planned, this.#options.ownProcesses?.());
  }
}

export const createLadderKeeper = (options: LadderKeeperOptions): LadderKeeper => new NodeLadders(options);

function helpless(device: string, cause: Cause, candidates: readonly Candidate[]): NewEvent {
  const names = candidates.map(({ service }) => service).join(", ");
  const who =
    names === "" ? "no service of Omni is loaded there" : `${names} can step down no further for that`;
  const message = `Nothing can be done about ${device}: ${causeText(cause)}; ${who}.`;
  return { kind: "ladder.helpless", severity: "warning", message, data: { device } };
}
