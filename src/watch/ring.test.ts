import fc from "fast-check";
import { expect, test } from "vitest";
import { Ring } from "./ring.ts";

test("keeps the newest in their order, and no more than it should", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.integer()), (size, values) => {
      const ring = new Ring<number>(size);
      for (const value of values) ring.put(value);
      expect(ring.all()).toEqual(values.slice(-size));
      expect(ring.newest).toBe(values.at(-1));
    }),
  );
});
