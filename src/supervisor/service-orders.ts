import { OmniError } from "../core/index.ts";
import type { LadderKeeper } from "./ladder/index.ts";
import type { ResidencyKeeper } from "./residency/index.ts";
import type { ActionAnswer, ServiceAction, ServiceControl } from "./service-control.ts";
import type { ServiceKeeper } from "./service-keeper.ts";

export interface OrdersOptions {
  readonly keepers: ReadonlyMap<string, ServiceKeeper>;
  readonly residency: ResidencyKeeper;
  readonly ladder: LadderKeeper;
}

const BY_HAND = "Its owner asked for it.";

/** Carries out what an operator asks of a service. Throws OmniError `service.unknown` for one that the node does not have. */
export function serviceOrders({ keepers, residency, ladder }: OrdersOptions): ServiceControl {
  return (service, action) => {
    const keeper = keepers.get(service);
    if (keeper !== undefined && !keeper.leavesForGood) return order(keeper, action, residency, ladder);
    const known = [...keepers.keys()].join(", ");
    throw new OmniError("service.unknown", `This node has no service ${service}; it has ${known}.`);
  };
}

function order(
  keeper: ServiceKeeper,
  action: ServiceAction,
  residency: ResidencyKeeper,
  ladder: LadderKeeper,
): ActionAnswer {
  const { name } = keeper;
  const { phase, goal } = keeper.state;
  switch (action) {
    case "load":
      if (phase === "ready") return no(`${name} is loaded already.`);
      // What its owner had stopped, or what failed, begins with a clean record.
      if (phase === "stopped" || phase === "failed") keeper.send({ kind: "start", why: BY_HAND, anew: true });
      else residency.load(name, BY_HAND);
      return yes(`${name} is being loaded.`);
    case "unload":
      if (phase === "unloaded" || phase === "stopped") return no(`${name} is not loaded.`);
      residency.unload(name, BY_HAND);
      // What its owner had drained is leaving already for whoever decides about cards, and would stay so.
      if (phase === "draining" && goal === "stay") keeper.drain("unload", BY_HAND);
      return yes(`${name} is being unloaded; a request loads it again.`);
    case "restart":
      keeper.drain("restart", BY_HAND);
      return yes(`${name} starts again once its ${keeper.inFlight} running requests have ended.`);
    case "drain":
      if (phase !== "ready") return no(`${name} is ${phase}: there is nothing to drain.`);
      keeper.drain("stay", BY_HAND);
      return yes(`${name} takes nothing new; ${keeper.inFlight} requests may end. Resume it to go on.`);
    case "resume":
      if (phase !== "draining" || goal !== "stay")
        return no(`${name} is ${phase}: there is nothing to resume.`);
      keeper.send({ kind: "start", why: BY_HAND });
      return yes(`${name} takes requests again.`);
    case "step-down":
      return ladder.step(name, "down")
        ? yes(`${name} steps down.`)
        : no(`${name} has no rung below this one.`);
    case "step-up":
      return ladder.step(name, "up") ? yes(`${name} steps up.`) : no(`${name} runs as planned.`);
  }
}

const yes = (message: string): ActionAnswer => ({ ok: true, message });
const no = (message: string): ActionAnswer => ({ ok: false, message });
