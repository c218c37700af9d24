import type { LoadControl } from "./load-control.ts";
import type { Replanning } from "./replanning.ts";
import type { ServiceKeeper } from "./service-keeper.ts";

/** Carries out what swap and ladder decide about loading; after `isClosed` nothing. */
export const loadControl = (
  keepers: ReadonlyMap<string, ServiceKeeper>,
  replanning: Replanning,
  isClosed: () => boolean,
): LoadControl => ({
  load: (service, why) => {
    const keeper = keepers.get(service);
    if (keeper === undefined || keeper.leavesForGood || isClosed()) return false;
    if (replanning.hasLost(keeper.service.devices) || isHopeless(keeper)) return false;
    keeper.send({ kind: "start", why: sentence(why) });
    return undefined;
  },
  unload: (service, { why, drain, sleep }) => {
    const keeper = keepers.get(service);
    const goal = sleep === true && keeper?.engine?.canSleep === true ? "sleep" : "unload";
    if (!isClosed()) keeper?.drain(goal, sentence(why), drain);
  },
});

/** It failed for a reason that another start does not mend. A crash loop may have ended by now. */
const isHopeless = ({ state }: ServiceKeeper): boolean =>
  state.phase === "failed" && state.failure?.code !== "engine.gave-up";

/** With an end. It may begin with the name of a service, which is written as its owner writes it. */
const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
