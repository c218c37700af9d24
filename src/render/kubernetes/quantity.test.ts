import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cpuQuantity, memoryQuantity, quantityOf } from "./quantity.ts";

describe("quantities", () => {
  it("hold at least the bytes that were meant, and less than a MiB more", () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 45 }), (bytes) => {
        const read = quantityOf(memoryQuantity(bytes)) ?? Number.NaN;
        expect(read).toBeGreaterThanOrEqual(bytes);
        expect(read - bytes).toBeLessThan(2 ** 20);
      }),
    );
  });

  it("of CPUs come back as thousandths", () => {
    expect([cpuQuantity(1000), cpuQuantity(6500), cpuQuantity(250)]).toEqual(["1", "6500m", "250m"]);
    expect(quantityOf("6500m")).toBe(6.5);
  });

  it.each([
    ["32Gi", 32 * 2 ** 30],
    ["1.5G", 1.5e9],
    ["2e3", 2000],
    [4, 4],
    ["128M", 128e6],
  ])("%s is %d", (text, number) => {
    expect(quantityOf(text)).toBe(number);
  });

  it.each(["", "32GiB", "1 Gi", "two", "1e", "Gi"])("%j is none", (text) => {
    expect(quantityOf(text)).toBeUndefined();
  });
});
