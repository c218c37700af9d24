import { formatBytes } from "../../parts/words.ts";
import { drawn, holdersOf } from "../plan/held-memory.ts";
import type { Holder } from "../plan/held-memory.ts";
import { MEMORY_TERMS } from "../plan/memory-terms.ts";
import type { LedgerDevice, Plan } from "../plan/plan-types.ts";
import { filled } from "./vessel.ts";
import type { Layer } from "./vessel.ts";

/** What of a device the plan does not count with: a card's driver, programs that were there before. */
const BEYOND = {
  gpu: { of: "the driver", tone: "driver" },
  memory: { of: "other programs", tone: "other" },
  disk: { of: "other files", tone: "other" },
} as const;

/** What the plan puts on a device, term by term, below what it keeps free. `total` is all that the device has. */
export function plannedLayers(device: LedgerDevice, plan: Plan, total: number): readonly Layer[] {
  const holders = holdersOf(device, plan);
  const placed = drawn(holders).flatMap((holder) => termsOf(holder, holders));
  const taken = placed.reduce((sum, { bytes }) => sum + bytes, 0);
  const reserve = Math.max(0, Math.min(device.headroom, device.capacity - taken));
  return filled(
    [
      ...placed,
      { ...BEYOND[device.kind], bytes: Math.max(0, total - device.capacity) },
      { of: "policy", tone: "reserve", bytes: reserve },
    ],
    Math.max(total, device.capacity),
  );
}

function termsOf(holder: Holder, holders: readonly Holder[]): readonly Layer[] {
  const { service, bytes, terms } = holder;
  const note = turnsOf(holder, holders);
  const about = note === undefined ? {} : { note };
  if (terms === undefined) return [{ of: service, tone: "held", bytes, ...about }];
  return MEMORY_TERMS.map(({ term, tone }) => ({ of: service, tone, bytes: terms[term], ...about }));
}

/** Who else is there by turns. */
function turnsOf({ service, swapSet }: Holder, holders: readonly Holder[]): string | undefined {
  const others = holders.filter(
    (one) => swapSet !== undefined && one.swapSet === swapSet && one.service !== service,
  );
  if (others.length === 0) return undefined;
  return `takes turns with ${others.map((one) => `${one.service} (${formatBytes(one.bytes)})`).join(", ")}`;
}
