import type { ResidencyKeeper } from "./residency/index.ts";
import type { ServiceKeeper } from "./service-keeper.ts";
import type { Sidelights } from "./service-view.ts";
import type { Stepping } from "./stepping.ts";

/** Who knows of a service beside its keeper. */
interface Deciders {
  readonly residency: ResidencyKeeper;
  readonly stepping: Stepping;
}

/** Phases in which it makes sense to ask when it is there. */
const COMING: ReadonlySet<string> = new Set(["queued", "starting", "loading", "unloaded", "asleep"]);

/** What is to be seen of a service beside its own state. */
export function sidelightsOf(
  keeper: ServiceKeeper,
  { residency, stepping }: Deciders,
  simulated: boolean,
): Sidelights {
  const { name, engine, state } = keeper;
  const ladder = stepping.viewOf(name);
  const diversion = stepping.diversion(name);
  const coming = COMING.has(state.phase) ? residency.outlook(name) : undefined;
  const eta = coming?.eta !== undefined && coming.eta > 0 ? coming.eta : undefined;
  const kind = engine?.prepared.kind ?? keeper.service.engine.kind;
  const address = engine?.unit.address;
  return {
    ...(kind === undefined ? {} : { kind }),
    ...(eta === undefined ? {} : { eta }),
    inFlight: keeper.inFlight,
    ...(engine?.load === undefined ? {} : { load: engine.load }),
    ...(ladder === undefined ? {} : { ladder }),
    ...(diversion === undefined
      ? {}
      : diversion.above === undefined
        ? { divertedTo: diversion.to }
        : { longPrompts: { above: diversion.above, to: diversion.to } }),
    ...(engine === undefined ? {} : { digest: engine.prepared.digest }),
    ...(address === undefined || address.kind === "url" ? {} : { endpoint: address }),
    ...(simulated ? { simulated: true } : {}),
  };
}
