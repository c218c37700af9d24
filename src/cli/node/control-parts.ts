import { keyEndpoints, planEndpoints, runbookEndpoints } from "../../api/endpoints/index.ts";
import type { KeyDesk, PlanDesk } from "../../api/endpoints/index.ts";
import type { Endpoint } from "../../gateway/surface.ts";
import type { SpecKey } from "../../keys/index.ts";
import type { GatewayParts, NodeGatewayOptions } from "./gateway-parts.ts";
import { openPlanTrials } from "./trial/open-plan-trials.ts";
import type { PlanTrials } from "./trial/open-plan-trials.ts";
import { trialBase } from "./trial/trial-base.ts";

/** The parts of a node that a person looks at and changes it by: plan, keys and runs of apply. */
export interface ControlParts {
  /** Paths by the name that the session tells each part by. */
  readonly endpoints: Readonly<Record<string, Readonly<Record<string, Endpoint>>>>;
  /** Takes over another spec, which is in force by now. */
  reload(specKeys: readonly SpecKey[]): void;
  close(): void;
}

export function controlParts(options: NodeGatewayOptions, { books }: GatewayParts): ControlParts {
  const { live } = options;
  let { specKeys } = options;
  const trials = openPlanTrials(() => trialBase(live));
  const keys: KeyDesk = {
    store: books.keys.store,
    lookNow: () => books.keys.lookNow(),
    open: () => books.keys.gate.open,
    ofSpec: () => ({
      origin: live.located.origin,
      keys: live.located.spec.keys,
      set: new Set(specKeys.map(({ caller }) => caller.key)),
    }),
  };
  return {
    endpoints: {
      planner: planEndpoints(planDesk(options, trials)),
      keys: keyEndpoints(keys),
      runbook: runbookEndpoints(options.stateFolder),
    },
    reload: (next) => {
      specKeys = next;
      trials.restart();
    },
    close: () => trials.close(),
  };
}

const planDesk = ({ live, supervisor, measurements }: NodeGatewayOptions, trials: PlanTrials): PlanDesk => ({
  running: () => ({
    origin: live.located.origin,
    text: live.located.text,
    plan: supervisor.plan(),
    measured: measurements.all(),
  }),
  attempt: (asked) =>
    trials.attempt({ asked, running: supervisor.plan(), circumstances: live.circumstances }),
});
