import { Empty } from "../../parts/empty.tsx";
import { Findings } from "../../parts/findings.tsx";
import { Legend } from "../../parts/legend.tsx";
import { Panel } from "../../parts/panel.tsx";
import { DeviceMemory } from "./device-memory.tsx";
import { MEMORY_LEGEND } from "./memory-terms.ts";
import type { RunningPlan } from "./plan-types.ts";
import { PlannedRoutes } from "./planned-routes.tsx";
import { PlannedServiceDetails } from "./planned-service.tsx";
import { Refusals } from "./refusals.tsx";
import { SwapSets } from "./swap-sets.tsx";
import { withoutTold } from "./told-findings.ts";

/** Up to here services are shown unfolded. */
const FEW = 3;

/** The plan that the node runs: what is where, what was not taken and why, and what should be looked at. */
export function RunningPlanPanels({ running }: { readonly running: RunningPlan }) {
  const { plan, measured } = running;
  const { services, rejected, diagnostics, swapSets = [], ledger = [], routes } = plan;
  return (
    <>
      {diagnostics.length > 0 && (
        <Panel title="Findings">
          <Findings of={withoutTold(diagnostics, rejected)} />
        </Panel>
      )}
      {rejected.length > 0 && (
        <Panel title="Not taken">
          <Refusals of={rejected} />
        </Panel>
      )}
      {ledger.length > 0 && (
        <Panel title="Devices" actions={<Legend of={MEMORY_LEGEND} />}>
          <div className="devices">
            {ledger.map((device) => (
              <DeviceMemory key={`${device.machine} ${device.device}`} device={device} plan={plan} />
            ))}
          </div>
        </Panel>
      )}
      <Panel title="Services">
        {services.length === 0 ? (
          <Empty>No service could be planned.</Empty>
        ) : (
          services.map((service) => (
            <PlannedServiceDetails
              key={service.name}
              service={service}
              measured={measured}
              open={services.length <= FEW}
            />
          ))
        )}
      </Panel>
      {swapSets.length > 0 && (
        <Panel title="Turns on a card">
          <SwapSets of={swapSets} />
        </Panel>
      )}
      <Panel title="Routes">
        <PlannedRoutes routes={routes} />
      </Panel>
    </>
  );
}
