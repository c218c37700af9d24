import { DataTable } from "../../parts/data-table.tsx";
import { Time } from "../../parts/time.tsx";
import { formatBytes, formatCount, formatDuration } from "../../parts/words.ts";
import { compared, newestOf } from "./measured-beside.ts";
import type { Compared } from "./measured-beside.ts";
import type { Measured } from "./plan-types.ts";

interface MeasuredTableProps {
  readonly service: string;
  readonly measured: readonly Measured[];
}

/** What the engine of a service really took at its last measured start, beside the prediction. */
export function MeasuredTable({ service, measured }: MeasuredTableProps) {
  const newest = newestOf(measured, service);
  if (newest === undefined) return null;
  const rows = compared(newest);
  return (
    <section>
      <h4>What it really took</h4>
      <p className="quiet">
        Started <Time at={newest.time} /> with {newest.engine} {newest.version}. {alsoSeen(newest)}
      </p>
      {rows.length > 0 && (
        <DataTable
          caption={`Memory of ${service}, predicted and measured`}
          rows={rows}
          keyOf={({ device, name }) => `${device} ${name}`}
          columns={[
            { name: "Device", cell: ({ device }) => device },
            { name: "Term", cell: ({ name }) => name },
            { name: "Predicted", figure: true, cell: ({ predicted }) => formatBytes(predicted) },
            { name: "Took", figure: true, cell: ({ took }) => formatBytes(took) },
            { name: "Off by", figure: true, cell: offBy },
          ]}
        />
      )}
    </section>
  );
}

function offBy({ off }: Compared): string {
  if (off === undefined) return "";
  const digits = (Math.abs(off) * 100).toFixed(1);
  return digits === "0.0" ? "0 %" : `${off < 0 ? "−" : "+"}${digits} %`;
}

function alsoSeen({ kvTokens, predictedKvTokens, loadTime, tokensPerSecond }: Measured): string {
  const predicted = predictedKvTokens === undefined ? "" : ` (predicted ${formatCount(predictedKvTokens)})`;
  return [
    kvTokens === undefined ? undefined : `Its KV cache holds ${formatCount(kvTokens)} tokens${predicted}.`,
    loadTime === undefined ? undefined : `It loaded in ${formatDuration(loadTime)}.`,
    tokensPerSecond === undefined ? undefined : `It gave ${tokensPerSecond.toFixed(1)} tokens a second.`,
  ]
    .filter((sentence) => sentence !== undefined)
    .join(" ");
}
