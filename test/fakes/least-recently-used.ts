import type { Plan } from "../../src/plan/plan.ts";
import type { Clock } from "../../src/supervisor/clock.ts";
import type { LoadControl } from "../../src/supervisor/load-control.ts";
import type { DecisionMaker } from "./residency-world.ts";

/** Longest that running answers hold up a swap, milliseconds. */
const DRAIN = 300_000;

/**
 * What a plain cache of models does, to compare with: a request for an absent model makes room at once by unloading who
 * shares its set, in the order of arrival, without regard to how long that one has been there.
 */
export function leastRecentlyUsed(plan: Plan, control: LoadControl, clock: Clock): DecisionMaker {
  const states = new Map<string, string>(plan.services.map(({ name }) => [name, "unloaded"]));
  let queue: { readonly service: string; readonly at: number }[] = [];
  const rivals = (service: string): readonly string[] =>
    (plan.swapSets ?? [])
      .filter((set) => set.services.includes(service))
      .flatMap((set) => set.services)
      .filter((other) => other !== service && states.get(other) !== "unloaded");
  const serve = (): void => {
    const [next] = queue;
    if (next === undefined) return;
    if (states.get(next.service) === "ready") {
      queue = queue.slice(1);
      serve();
      return;
    }
    const others = rivals(next.service);
    for (const other of others)
      if (states.get(other) === "ready")
        control.unload(other, { why: `${next.service} is asked for`, drain: DRAIN });
    if (others.length === 0 && states.get(next.service) === "unloaded")
      control.load(next.service, "asked for");
  };
  return {
    demand(services) {
      const [service] = services;
      if (service !== undefined && !queue.some((other) => other.service === service))
        queue.push({ service, at: clock.elapsed() });
      serve();
      return () => {};
    },
    leaseTaken: () => {},
    leaseReleased: () => {},
    stateChanged(service, state) {
      states.set(service, state);
      clock.after(0, serve);
    },
    start() {
      for (const { standing } of plan.swapSets ?? []) control.load(standing, "start");
    },
  };
}
