import type { Plan } from "../plan/plan.ts";
import type { Lease } from "./backends.ts";
import type { ResidencyKeeper } from "./residency/index.ts";

/** Services of which leases matter to who decides about cards: they share them, or are unloaded when idle. */
export const sharingServices = ({ services, swapSets = [] }: Plan): ReadonlySet<string> =>
  new Set([
    ...swapSets.flatMap((set) => set.services),
    ...services.filter(({ lifecycle }) => typeof lifecycle?.ttl === "number").map(({ name }) => name),
  ]);

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
