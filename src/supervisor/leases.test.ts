import fc from "fast-check";
import { expect, test } from "vitest";
import type { Lease } from "./backends.ts";
import { Leases } from "./leases.ts";

const address = { kind: "unix", path: "/run/oracle.sock" } as const;

test("leases never leak: as many are open as were taken and not yet released, however often that is said", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constant("take"), fc.nat({ max: 20 })), { maxLength: 60 }), (steps) => {
      let idle = 0;
      const leases = new Leases(() => void idle++);
      const taken: Lease[] = [];
      const released = new Set<Lease>();
      let expectedIdle = 0;
      for (const step of steps) {
        if (typeof step === "string") taken.push(leases.take(address, { model: "m" }, () => 1));
        else {
          const lease = taken[step];
          if (lease !== undefined && !released.has(lease) && released.size + 1 === taken.length)
            expectedIdle++;
          lease?.release();
          if (lease !== undefined) released.add(lease);
        }
        expect(leases.open).toBe(taken.length - released.size);
      }
      expect(idle).toBe(expectedIdle);
    }),
  );
});
