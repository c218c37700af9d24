import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table.tsx";
import { StackedBar } from "../../parts/stacked-bar.tsx";
import { formatBytes } from "../../parts/words.ts";
import { heldMemory, holdersOf } from "./held-memory.ts";
import type { Holder } from "./held-memory.ts";
import { MEMORY_TERMS } from "./memory-terms.ts";
import type { LedgerDevice, Plan } from "./plan-types.ts";

interface DeviceMemoryProps {
  readonly device: LedgerDevice;
  readonly plan: Plan;
}

/** One device with who takes what of it: a bar, and the numbers below it. */
export function DeviceMemory({ device, plan }: DeviceMemoryProps) {
  const holders = holdersOf(device, plan);
  return (
    <article className="device-memory">
      <h3>
        {device.device} <span className="quiet">{device.label}</span>
      </h3>
      <DeviceBar device={device} plan={plan} />
      <p className="quiet">{roomOf(device)}</p>
      {holders.length > 0 && (
        <DataTable
          caption={`Who takes what of ${device.device}`}
          columns={device.kind === "disk" ? FILES : [...FILES, ...TERMS]}
          rows={holders}
          keyOf={({ service }) => service}
        />
      )}
    </article>
  );
}

/** The bar alone; nothing where the size of the device is not known. */
export function DeviceBar({ device, plan, when = "" }: DeviceMemoryProps & { readonly when?: string }) {
  if (device.capacity === 0) return null;
  const { total, segments } = heldMemory(device, plan);
  return (
    <StackedBar
      label={`${device.device}${when}, ${formatBytes(device.capacity)}`}
      total={total}
      segments={segments}
    />
  );
}

function roomOf({ capacity, free, headroom }: LedgerDevice): string {
  if (capacity === 0) return "Its size is not stated.";
  const kept = headroom > 0 ? `, of which ${formatBytes(headroom)} are kept free` : "";
  return `${formatBytes(free)} of ${formatBytes(capacity)} free${kept}.`;
}

const FILES: readonly Column<Holder>[] = [
  {
    name: "Held by",
    cell: ({ service, swapSet }) => (swapSet === undefined ? service : `${service} (by turns: ${swapSet})`),
  },
  { name: "Total", figure: true, cell: ({ bytes }) => formatBytes(bytes) },
];

const TERMS: readonly Column<Holder>[] = MEMORY_TERMS.map(({ term, name }) => ({
  name,
  figure: true,
  cell: ({ terms }) => (terms === undefined ? "" : formatBytes(terms[term])),
}));
