import type { LoadControl } from "../../src/supervisor/load-control.ts";
import { createResidencyKeeper } from "../../src/supervisor/residency/index.ts";
import { MemoryEventLog } from "./memory-event-log.ts";
import { worldPlan } from "./residency-world.ts";
import type { WorldService } from "./residency-world.ts";
import { VirtualClock } from "./virtual-clock.ts";

export const MIN = 60_000;
const SWAP = { minResidency: MIN, ttl: 10 * MIN, maxWait: 5 * MIN };

/** Writes down what it is told and does nothing: tests say themselves what came of it. */
class Told implements LoadControl {
  readonly orders: string[] = [];
  refused: string | undefined;
  load(service: string): void | false {
    this.orders.push(`load ${service}`);
    if (service === this.refused) return false;
  }
  unload(service: string, how: { readonly drain: number; readonly sleep?: boolean }): void {
    this.orders.push(`${how.sleep === true ? "sleep" : "unload"} ${service} within ${how.drain}`);
  }
  take(): string[] {
    return this.orders.splice(0);
  }
}

/** A keeper of services that share `gpu0`, the first of them standing. */
export function residencyNode(
  services: readonly Partial<WorldService>[] = [{ name: "chat" }, { name: "images" }],
  routes: readonly (readonly string[])[] = [],
) {
  const whole = services.map((service) => ({
    name: "?",
    devices: ["gpu0"],
    loadTime: 20_000,
    ...service,
  }));
  const names = whole.filter(({ devices }) => devices.includes("gpu0")).map(({ name }) => name);
  const clock = new VirtualClock();
  const events = new MemoryEventLog();
  const control = new Told();
  const plan = worldPlan(whole, [{ services: names, standing: names[0] ?? "" }], routes);
  const keeper = createResidencyKeeper({
    plan,
    policies: { swap: SWAP },
    clock,
    events,
    control,
    canSleep: (service) => service === "sleeper",
    loadTime: () => 20_000,
  });
  const load = (service: string): void => {
    keeper.stateChanged(service, "starting");
    keeper.stateChanged(service, "ready");
  };
  const leave = (service: string): void => {
    keeper.stateChanged(service, "draining");
    keeper.stateChanged(service, "unloaded");
  };
  const messages = (): string[] => events.events.map(({ message }) => message);
  return { clock, events, control, keeper, plan, load, leave, messages };
}
