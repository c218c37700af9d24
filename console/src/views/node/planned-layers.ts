import type { Answer } from "../../../../src/api/contract/index.ts";
import { formatBytes } from "../../parts/words.ts";
import { filled } from "./vessel.ts";
import type { Layer } from "./vessel.ts";

export type RunningPlan = Answer<"GET /api/plan">;
export type LedgerDevice = NonNullable<RunningPlan["plan"]["ledger"]>[number];
type Entry = LedgerDevice["entries"][number];

/** What of a device the plan does not count with: a card's driver, programs that were there before. */
const BEYOND = {
  gpu: { of: "the driver", tone: "driver" },
  memory: { of: "other programs", tone: "other" },
  disk: { of: "other files", tone: "other" },
} as const;

/** What the plan puts on a device, term by term, below what it keeps free. `total` is all that the device has. */
export function plannedLayers(
  device: LedgerDevice,
  services: RunningPlan["plan"]["services"],
  total: number,
): readonly Layer[] {
  const placed = standing(device.entries).flatMap(({ entry, note }) =>
    termsOf(device, entry, note, services),
  );
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

/** Services that are there for good, and of those that take turns the largest. */
function standing(entries: readonly Entry[]): readonly { entry: Entry; note?: string }[] {
  const turns = Map.groupBy(
    entries.filter(({ swapSet }) => swapSet !== undefined),
    ({ swapSet }) => swapSet,
  );
  const largest = [...turns.values()].flatMap((members) => {
    const [first, ...others] = members.toSorted((a, b) => b.bytes - a.bytes);
    if (first === undefined) return [];
    const names = others.map(({ service, bytes }) => `${service} (${formatBytes(bytes)})`);
    return [
      { entry: first, ...(names.length === 0 ? {} : { note: `takes turns with ${names.join(", ")}` }) },
    ];
  });
  const always = entries.filter(({ swapSet }) => swapSet === undefined).map((entry) => ({ entry }));
  return [...always, ...largest];
}

function termsOf(
  { device }: LedgerDevice,
  { service, bytes }: Entry,
  note: string | undefined,
  services: RunningPlan["plan"]["services"],
): readonly Layer[] {
  const about = note === undefined ? {} : { note };
  const terms = services
    .find(({ name }) => name === service)
    ?.memory.find((memory) => memory.device === device);
  if (terms === undefined) return [{ of: service, tone: "held", bytes, ...about }];
  return [
    { of: service, tone: "weights", bytes: terms.weights, ...about },
    { of: service, tone: "kv", bytes: terms.kvCache, ...about },
    { of: service, tone: "compute", bytes: terms.compute, ...about },
    { of: service, tone: "overhead", bytes: terms.overhead, ...about },
  ];
}
