import type { Plan, PlannedService, SwapSet } from "../../plan/plan.ts";
import type { Member } from "./residency-state.ts";

interface SwapTimes {
  readonly ttl: number | false;
  readonly maxWait: number;
}

type Planned = Pick<Plan, "services" | "routes" | "swapSets" | "ledger">;

/** Time for running requests before a stop, where the plan says nothing; milliseconds. */
const DRAIN = 30_000;
const PRIORITY = 5;

/** What the plan says about each service's place among those that share cards. Pure. */
export function membersOf(
  plan: Planned,
  times: SwapTimes,
  canSleep: (service: string) => boolean,
): ReadonlyMap<string, Member> {
  const sets = plan.swapSets ?? [];
  const crowded = crowdedDevices(plan, sets);
  const members = plan.services.map((service): Member => {
    const own = sets.filter((set) => set.services.includes(service.name));
    const standing = own.some((set) => set.standing === service.name);
    const { lifecycle } = service;
    return {
      service: service.name,
      excludes: plan.services
        .filter((other) => other.name !== service.name)
        .filter((other) => own.some((set) => set.services.includes(other.name)))
        .filter((other) => collide(service, other, crowded))
        .map((other) => other.name),
      standsInFor: [...new Set(plan.routes.flatMap((route) => before(route.services, service.name)))],
      standing,
      preload: own.length === 0 || standing,
      priority: lifecycle?.priority ?? PRIORITY,
      pinned: lifecycle?.pinned ?? false,
      ttl: lifecycle?.ttl ?? (own.length > 0 && !standing ? times.ttl : false),
      // A lease keeps its service from being stopped for another's sake, for as long as the other's requests can wait.
      drain: Math.max(lifecycle?.drainTimeout ?? DRAIN, times.maxWait),
      canSleep: canSleep(service.name),
    };
  });
  return new Map(members.map((member) => [member.service, member]));
}

const before = (services: readonly string[], service: string): readonly string[] =>
  services.slice(0, Math.max(0, services.indexOf(service)));

const uses = (service: PlannedService): ReadonlySet<string> =>
  new Set([
    ...service.devices,
    ...service.memory.filter(({ total }) => total > 0).map(({ device }) => device),
  ]);

/** Members of a set may be loaded together only where they meet on no card, and main memory holds them all. */
function collide(one: PlannedService, other: PlannedService, crowded: ReadonlySet<string>): boolean {
  if (one.devices.length === 0 || other.devices.length === 0) return true;
  const theirs = uses(other);
  return (
    one.devices.some((device) => other.devices.includes(device)) ||
    [...uses(one)].some((device) => theirs.has(device) && crowded.has(device))
  );
}

/** Devices where all members of all sets together take more than the sets reserve and the plan leaves free. */
function crowdedDevices({ services, ledger }: Planned, sets: readonly SwapSet[]): ReadonlySet<string> {
  const turning = services.filter(({ name }) => sets.some((set) => set.services.includes(name)));
  const devices = new Set(turning.flatMap((service) => [...uses(service)]));
  return new Set(
    [...devices].filter((device) => {
      const taken = turning
        .flatMap((service) => service.memory)
        .filter((terms) => terms.device === device)
        .reduce((sum, terms) => sum + terms.total, 0);
      const reserved = sets
        .flatMap((set) => set.reserves)
        .filter((reserve) => reserve.device === device)
        .reduce((sum, reserve) => sum + reserve.bytes, 0);
      const row = (ledger ?? []).find((entry) => entry.device === device);
      const spare = row === undefined ? 0 : Math.max(0, row.free - row.headroom);
      return taken > reserved + spare;
    }),
  );
}
