import type { Service } from "../../live/live-state.ts";
import { useRunningPlan } from "../../live/use-running-plan.ts";
import { Badge } from "../../parts/badge.tsx";
import { DataTable } from "../../parts/data-table.tsx";
import { Panel } from "../../parts/panel.tsx";
import { Time } from "../../parts/time.tsx";
import { formatBytes } from "../../parts/words.ts";

/** How far a service has stepped down, why, and when it comes back. Nothing for one without a ladder. */
export function LadderPanel({ service }: { readonly service: Service }) {
  const { value } = useRunningPlan();
  const rungs = value?.plan.services.find(({ name }) => name === service.name)?.ladder ?? [];
  const { ladder } = service;
  if (rungs.length === 0 && ladder === undefined) return null;
  const stands = ladder?.rung ?? 0;
  return (
    <Panel title="Ladder">
      {ladder === undefined ? (
        <p>It runs as planned. When memory runs short it steps down in this order:</p>
      ) : (
        <p>
          It stands on rung {ladder.rung} since <Time at={ladder.since} />
          {ladder.because === "" ? "." : `: ${ladder.because}.`} It steps back up {ladder.backWhen}.
        </p>
      )}
      <DataTable
        caption={`Ladder of ${service.name}`}
        rows={rungs.map((rung, index) => ({ ...rung, number: index + 1 }))}
        keyOf={({ number }) => String(number)}
        toneOf={({ number }) => (number === stands ? "warning" : undefined)}
        columns={[
          { name: "Rung", cell: ({ number }) => String(number) },
          { name: "Step", cell: stepCell },
          { name: "What changes", cell: ({ change }) => change },
          { name: "What it gives", cell: givesOf },
          {
            name: "State",
            cell: ({ number }) => takenCell(number <= stands),
          },
        ]}
      />
    </Panel>
  );
}

const stepCell = ({ step }: { readonly step: string }) => <code>{step}</code>;
const takenCell = (taken: boolean) => (taken ? <Badge tone="warning">taken</Badge> : "not taken");

function givesOf(rung: {
  readonly frees: readonly { readonly device: string; readonly bytes: number }[];
  readonly noEffect?: string;
}): string {
  if (rung.noEffect !== undefined) return `nothing: ${rung.noEffect}`;
  const amounts = rung.frees.map(({ device, bytes }) =>
    bytes < 0 ? `takes ${formatBytes(-bytes)} of ${device}` : `frees ${formatBytes(bytes)} of ${device}`,
  );
  return amounts.length === 0 ? "–" : amounts.join(", ");
}
