import type { Plan } from "../plan/plan.ts";
import type { Lease } from "./backends.ts";
import type { ResidencyKeeper } from "./residency/index.ts";

/**
 * Services of which leases matter to who decides about cards: they share them, are unloaded when idle, or answer in the
 * place of one that shares.
 */
export function sharingServices({ services, swapSets = [], routes }: Plan): ReadonlySet<string> {
  const members = new Set(swapSets.flatMap((set) => set.services));
  const standIns = routes.flatMap((route) => {
    const first = route.services.findIndex((name) => members.has(name));
    return first < 0 ? [] : route.services.slice(first + 1);
  });
  const idling = services
    .filter(({ lifecycle }) => typeof lifecycle?.ttl === "number")
    .map(({ name }) => name);
  return new Set([...members, ...standIns, ...idling]);
}

/** A lease that is told to who decides about cards. */
export function sharedLease(lease: Lease, service: string, residency: ResidencyKeeper): Lease {
  residency.leaseTaken(service);
  let held = true;
  return {
    ...lease,
    release: (): void => {
      if (!held) return;
      held = false;
      lease.release();
      residency.leaseReleased(service);
    },
  };
}
