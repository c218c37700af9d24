import type { Answer } from "../../api/contract/index.ts";
import type { NodeState } from "./node-state.ts";

type Card = NonNullable<Answer<"GET /api/hardware">["reading"]>["cards"][number];
type Service = Answer<"GET /api/status">["services"][number];

/** What of a card's used memory is whose. Without a service it is of others, or of nobody who is known. */
export interface Holding {
  readonly service?: string;
  readonly bytes: number;
  /** The driver counted it, or the plan says that the service takes so much. */
  readonly by: "driver" | "plan";
}

/** Less than this share of a card is rounding and no other program. */
const WORTH_TELLING = 0.01;
/** States in which a service holds no memory. */
const EMPTY: ReadonlySet<Service["state"]> = new Set([
  "stopped",
  "unloaded",
  "queued",
  "backing-off",
  "failed",
]);

/** The plan's names for the cards that were seen, by UUID. */
export function deviceNames({ hardware, plan }: NodeState): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const { devices, uuids } of plan?.services ?? [])
    if (devices.length === uuids?.length)
      for (const [index, uuid] of uuids.entries()) names.set(uuid, devices[index] ?? uuid);
  for (const [device, uuid] of Object.entries(hardware?.names ?? {})) names.set(uuid, device);
  return names;
}

/** Who holds the used memory of a card: as the driver counts it by process, and where it does not tell, by the plan. */
export function holdingsOf(state: NodeState, card: Card, device: string | undefined): readonly Holding[] {
  if (card.memoryUsed === undefined) return [];
  const holdings: Holding[] = [];
  let left = card.memoryUsed;
  const services = state.status.services.filter((service) => !EMPTY.has(service.state));
  const counted = new Set<string>();
  for (const { name, pid } of services) {
    const bytes = (card.holders ?? [])
      .filter((holder) => holder.pid === pid)
      .reduce((sum, holder) => sum + holder.bytes, 0);
    if (bytes === 0) continue;
    counted.add(name);
    holdings.push({ service: name, bytes: Math.min(bytes, left), by: "driver" });
    left -= Math.min(bytes, left);
  }
  for (const { name } of services) {
    const bytes = Math.min(counted.has(name) ? 0 : plannedBytes(state, name, device), left);
    if (bytes > 0) holdings.push({ service: name, bytes, by: "plan" });
    left -= bytes;
  }
  return left > (card.memoryTotal ?? 0) * WORTH_TELLING
    ? [...holdings, { bytes: left, by: "driver" }]
    : holdings;
}

const plannedBytes = ({ plan }: NodeState, name: string, device: string | undefined): number =>
  plan?.services.find((service) => service.name === name)?.memory.find((terms) => terms.device === device)
    ?.total ?? 0;
