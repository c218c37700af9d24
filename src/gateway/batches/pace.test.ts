import fc from "fast-check";
import { expect, test } from "vitest";

import { Pace } from "./pace.ts";

test("grows by one after as many answers as there may be, and halves once for refusals of one moment", () => {
  const pace = new Pace(8);
  const grown = Array.from({ length: 10 }, () => {
    pace.succeeded();
    return pace.limit;
  });
  expect(grown).toEqual([2, 2, 3, 3, 3, 4, 4, 4, 4, 5]);
  pace.refused(1000, 0);
  pace.refused(3000, 10);
  expect([pace.limit, pace.pausedUntil]).toEqual([2, 3010]);
  pace.refused(1_000_000, 5000);
  expect([pace.limit, pace.pausedUntil]).toEqual([1, 65_000]);
});

test("stays within its bounds whatever happens", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 300 }), (answers) => {
      const pace = new Pace(4);
      for (const [time, good] of answers.entries()) {
        if (good) pace.succeeded();
        else pace.refused(10, time);
      }
      expect(pace.limit).toBeGreaterThanOrEqual(1);
      expect(pace.limit).toBeLessThanOrEqual(4);
    }),
  );
});
