import { describe, expect, test } from "vitest";

import { afterFailedStart, afterLoss, CLEAN } from "./backoff.ts";

describe("backoff", () => {
  test("doubles from one second to one minute", () => {
    let health = CLEAN;
    const waits = Array.from({ length: 9 }, () => {
      health = afterFailedStart(health, 5000, 0);
      return health.until - 5000;
    });
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  test("chance takes off up to half", () => {
    expect(afterFailedStart(CLEAN, 0, 0.5).until).toBe(750);
    expect(afterFailedStart(CLEAN, 0, 0.999_999).until).toBeGreaterThan(500);
  });

  test("what had worked is replaced at once; what never did only the first time", () => {
    const bad = { failures: 4, until: 9 };
    expect(afterLoss(bad, 5, true, 100, 0)).toEqual(CLEAN);
    expect(afterLoss(bad, 10_000, false, 100, 0)).toEqual(CLEAN);
    expect(afterLoss(CLEAN, 5, false, 100, 0)).toEqual({ failures: 1, until: 100 });
    expect(afterLoss({ failures: 1, until: 100 }, 5, false, 100, 0)).toEqual({ failures: 2, until: 2100 });
  });
});
