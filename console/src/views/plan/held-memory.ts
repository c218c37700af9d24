import type { Segment } from "../../parts/stacked-bar.tsx";
import { formatBytes } from "../../parts/words.ts";
import { MEMORY_TERMS } from "./memory-terms.ts";
import type { LedgerDevice, MemoryTerms, Plan } from "./plan-types.ts";

/** What one service takes of a device, in bytes. */
export interface Holder {
  readonly service: string;
  readonly bytes: number;
  readonly swapSet?: string | undefined;
  /** Absent for disks, which hold files. */
  readonly terms: MemoryTerms | undefined;
}

/** Who takes what of a device. */
export const holdersOf = (device: LedgerDevice, plan: Plan): readonly Holder[] =>
  device.entries.map(({ service, bytes, swapSet }) => ({
    service,
    bytes,
    swapSet,
    terms: plan.services
      .find(({ name }) => name === service)
      ?.memory.find((terms) => terms.device === device.device),
  }));

/** A device as a bar: by service and term, what is kept free, what is left. `total` is what all of them are parts of. */
export function heldMemory(
  device: LedgerDevice,
  plan: Plan,
): { readonly total: number; readonly segments: readonly Segment[] } {
  const taken = drawn(holdersOf(device, plan)).flatMap(segmentsOf);
  const sum = taken.reduce((all, { value }) => all + value, 0);
  const left = Math.max(0, device.capacity - sum);
  const reserve = Math.min(device.headroom, left);
  return {
    total: Math.max(device.capacity, sum),
    segments: [
      ...taken,
      titled({ name: "kept free", value: reserve, tone: "reserve" }),
      titled({ name: "free", value: left - reserve, tone: "free" }),
    ],
  };
}

/** Members of a swap set are there by turns: the largest of each is drawn. */
export function drawn(holders: readonly Holder[]): readonly Holder[] {
  const largest = new Map<string, Holder>();
  for (const holder of holders) {
    if (holder.swapSet === undefined) continue;
    const known = largest.get(holder.swapSet);
    if (known === undefined || known.bytes < holder.bytes) largest.set(holder.swapSet, holder);
  }
  const turns = new Set(largest.values());
  return holders.filter((holder) => holder.swapSet === undefined || turns.has(holder));
}

function segmentsOf({ service, bytes, terms }: Holder): readonly Segment[] {
  if (terms === undefined) return [titled({ name: service, value: bytes, tone: "other" })];
  return MEMORY_TERMS.map(({ term, name, tone }) =>
    titled({ name: `${service} ${name}`, value: terms[term], tone }),
  );
}

const titled = (segment: Omit<Segment, "title">): Segment => ({
  ...segment,
  title: `${segment.name} ${formatBytes(segment.value)}`,
});
