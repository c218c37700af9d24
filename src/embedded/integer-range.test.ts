import fc from "fast-check";
import { expect, test } from "vitest";
import { integerRange } from "./integer-range.ts";

/** The same notation as a regular expression: literals unquoted, spaces dropped. */
const accepts = (least: number | undefined, most: number | undefined, value: number): boolean =>
  new RegExp(`^(${integerRange(least, most).replaceAll('"', "").replaceAll(" ", "")})$`).test(String(value));

test("exactly the numbers of the range are accepted", () => {
  for (const [least, most] of [
    [0, 255],
    [-12, 7],
    [5, 5],
    [99, 1001],
    [-300, -20],
    [10, 100],
  ] as const) {
    for (let value = -1100; value <= 1100; value++) {
      expect(accepts(least, most, value), `${value} in ${least}..${most}`).toBe(
        value >= least && value <= most,
      );
    }
  }
});

test("open ends hold", () => {
  const whole = fc.integer({ min: -1e9, max: 1e9 });
  fc.assert(
    fc.property(whole, whole, (edge, value) => {
      expect(accepts(edge, undefined, value)).toBe(value >= edge);
      expect(accepts(undefined, edge, value)).toBe(value <= edge);
    }),
  );
});
