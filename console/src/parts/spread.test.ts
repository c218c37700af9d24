import fc from "fast-check";
import { expect, it } from "vitest";
import { spreadOf } from "./spread.ts";

it("knows the middle and the upper end", () => {
  const spread = spreadOf(Array.from({ length: 100 }, (_, index) => index + 1));
  expect(spread).toMatchObject({ count: 100, p50: 51, p95: 96, max: 100 });
  expect(spreadOf([])).toBeUndefined();
});

it("counts every value in some range, the ranges in order", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e7, noNaN: true }), { minLength: 1 }), (values) => {
      const { ranges = [] } = spreadOf(values) ?? {};
      expect(ranges.reduce((sum, { count }) => sum + count, 0)).toBe(values.length);
      expect(ranges.length).toBeLessThanOrEqual(16);
      expect(ranges.every(({ from }, index) => index === 0 || from > (ranges[index - 1]?.from ?? 0))).toBe(
        true,
      );
    }),
  );
});
