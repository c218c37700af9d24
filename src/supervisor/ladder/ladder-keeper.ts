import type { EventLog } from "../../core/index.ts";
import { formatBytes } from "../../core/index.ts";
import type { EngineFailure } from "../../engines/engine.ts";
import type { Plan } from "../../plan/plan.ts";
import type { CardReading, Reading } from "../../watch/reading.ts";
import type { LadderView } from "../backends.ts";
import type { Clock } from "../clock.ts";
import { EASY, stepDevice } from "./device-pressure.ts";
import type { DeviceState, DeviceStep } from "./device-pressure.ts";
import type { Effective } from "./effective-service.ts";
import { foreignMemory } from "./foreign-memory.ts";
import { devicesOf, lookAt } from "./ladder-devices.ts";
import type { Amount, LadderDevice } from "./ladder-devices.ts";
import { LadderService } from "./ladder-service.ts";
import { causeText } from "./ladder-note.ts";
import type { Cause, Missing, Room } from "./ladder-state.ts";
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

/** After a step, a device is left alone for this long once the service is ready again; milliseconds. */
const SETTLES = 15_000;

/** What is going on at a device. */
interface Watched {
  state: DeviceState;
  /** No step before this. */
  settledAt: number;
  /** The service whose restart is waited for. */
  settling: string | undefined;
  /** It was said that nothing here can step down. */
  told: boolean;
}

/** The one writer of all ladders of a node: looks at devices, chooses who steps, and does what the machines decide. */
export function createLadderKeeper(options: LadderKeeperOptions): LadderKeeper {
  const { clock, events, policies } = options;
  const watched = new Map<string, Watched>();
  let devices: readonly LadderDevice[] = [];
  let services = new Map<string, LadderService>();

  const watchedOn = (device: string): Watched => {
    const known = watched.get(device) ?? { state: EASY, settledAt: 0, settling: undefined, told: false };
    watched.set(device, known);
    return known;
  };
  const follow = (plan: LadderPlan): void => {
    devices = devicesOf({ ...options, plan });
    const kept = new Map(devices.map((device) => [device.device, device.kept]));
    const rules = { coolDown: policies.watch.coolDown, kept };
    const before = services;
    services = new Map(
      plan.services.map((service) => {
        const known = before.get(service.name);
        const same = JSON.stringify(known?.planned.ladder) === JSON.stringify(service.ladder);
        if (!same) known?.forget();
        return [service.name, new LadderService(service, rules, options, same ? known : undefined)];
      }),
    );
    for (const [name, service] of before) if (!services.has(name)) service.forget();
  };
  /** Lets a step show its effect on every device of the service before the next one. */
  const settle = (service: LadderService): void => {
    for (const { device } of devices.filter(({ device }) => service.isOn(device))) {
      const { pending } = service.state;
      const at = watchedOn(device);
      at.settling = pending ? service.planned.name : undefined;
      at.settledAt = clock.elapsed() + SETTLES + (pending ? service.planned.loadTimeout : 0);
    }
  };
  const settled = (name: string): void => {
    for (const at of watched.values()) {
      if (at.settling !== name) continue;
      at.settling = undefined;
      at.settledAt = clock.elapsed() + SETTLES;
    }
  };
  const candidatesOn = (device: string): readonly Candidate[] =>
    [...services.values()]
      .filter((service) => service.loaded && service.isOn(device) && !service.state.pending)
      .map((service) => ({
        service: service.planned.name,
        priority: service.priority,
        rungs: service.rules.rungs,
        rung: service.state.rung,
      }));
  const relieve = (device: string, cause: Cause, missing: number): void => {
    const at = watchedOn(device);
    if (clock.elapsed() < at.settledAt) return;
    const candidates = candidatesOn(device);
    const chosen = cause.is === "heat" ? whoDoesLess(candidates) : whoMakesRoom(candidates, device, missing);
    const service = chosen === undefined ? undefined : services.get(chosen);
    if (service?.send({ kind: "pressure", cause, missing: [{ device, bytes: missing }] }) === true)
      settle(service);
    else if (!at.told) {
      at.told = true;
      events.record(helpless(device, cause, candidates));
    }
  };
  const look = (device: LadderDevice, reading: Reading): (() => void) | undefined => {
    const seen = lookAt(device, reading);
    const at = watchedOn(device.device);
    if (seen === undefined) {
      at.state = EASY;
      return undefined;
    }
    const { maxTemperature } = policies.watch;
    const step = stepDevice(at.state, seen, { kept: device.kept, maxTemperature });
    at.state = step.state;
    if (step.calm) at.told = false;
    const card = reading.cards.find(({ uuid }) => uuid === device.uuid);
    return () => press(device, step, { free: seen.free ?? 0, temperature: seen.temperature ?? 0, card });
  };
  const press = (
    { device, kept }: LadderDevice,
    step: DeviceStep,
    {
      free,
      temperature,
      card,
    }: { readonly free: number; readonly temperature: number; readonly card: CardReading | undefined },
  ): void => {
    if (step.missing > 0) {
      const planned = [...services.values()].reduce((sum, service) => sum + service.takes(device), 0);
      const foreign = card && foreignMemory(card, planned, options.ownProcesses?.());
      const cause = {
        is: "memory",
        device,
        free,
        kept,
        ...(foreign === undefined ? {} : { foreign }),
      } as const;
      relieve(device, cause, step.missing);
    } else if (step.tooHot) {
      relieve(device, { is: "heat", device, temperature, limit: policies.watch.maxTemperature }, 0);
    }
  };
  const roomsOf = (service: LadderService, reading: Reading): readonly Room[] =>
    devices
      .filter(({ device }) => concerns(service, device))
      .flatMap((device): Room[] => {
        const seen = lookAt(device, reading);
        if (seen === undefined) return [{ device: device.device, calm: false }];
        const { calm } = stepDevice(watchedOn(device.device).state, seen, {
          kept: device.kept,
          maxTemperature: policies.watch.maxTemperature,
        });
        return [{ device: device.device, calm, ...(seen.free === undefined ? {} : { free: seen.free }) }];
      });
  follow(options.plan);

  return {
    reading(reading) {
      const pressing = devices.flatMap((device) => look(device, reading) ?? []);
      for (const service of services.values()) {
        const { rung, climbedAt } = service.state;
        if (rung === 0 && climbedAt === undefined) continue;
        if (service.send({ kind: "room", rooms: roomsOf(service, reading) })) settle(service);
      }
      for (const press of pressing) press();
    },
    failed(name, failure) {
      const service = services.get(name);
      if (service === undefined) return false;
      service.loaded = false;
      const changed = service.send({ kind: "failed", failure });
      if (changed) settle(service);
      return changed;
    },
    predicted(name, missing) {
      const service = services.get(name);
      const changed = service?.send({ kind: "predicted", missing }) ?? false;
      if (changed && service !== undefined) settle(service);
      return changed;
    },
    ready(name) {
      const service = services.get(name);
      if (service === undefined) return;
      service.loaded = true;
      service.send({ kind: "ready" });
      settled(name);
    },
    gone(name) {
      const service = services.get(name);
      if (service !== undefined) service.loaded = false;
      settled(name);
    },
    step(name, direction) {
      const service = services.get(name);
      const changed = service?.send({ kind: "step", direction }) ?? false;
      if (changed && service !== undefined) settle(service);
      return changed;
    },
    viewOf: (name) => services.get(name)?.view,
    effective(name) {
      const service = services.get(name);
      if (service === undefined) throw new RangeError(`${name} is not in the plan`);
      return service.effective;
    },
    replan: follow,
  };
}

/** What happens on a device matters to a service that is there, or whose steps free or take memory there. */
const concerns = (service: LadderService, device: string): boolean =>
  service.isOn(device) ||
  service.rules.rungs.some((rung) => rung.frees.some((freed) => freed.device === device));

function helpless(device: string, cause: Cause, candidates: readonly Candidate[]) {
  const names = candidates.map(({ service }) => service).join(", ");
  const who =
    names === "" ? "no service of Omni is loaded there" : `${names} can step down no further for that`;
  const missing = cause.is === "memory" ? ` (${formatBytes(cause.kept - cause.free)} short)` : "";
  return {
    kind: "ladder.helpless",
    severity: "warning",
    message: `Nothing can be done about ${device}: ${causeText(cause)}${missing}; ${who}.`,
    data: { device },
  } as const;
}
