import fc from "fast-check";
import { expect, test } from "vitest";

import { takeTurn } from "./weighted-turns.ts";

const weights = fc
  .array(fc.nat(9), { minLength: 1, maxLength: 6 })
  .filter((all) => all.some((weight) => weight > 0));

test("in a round everybody has exactly its weight", () => {
  fc.assert(
    fc.property(weights, fc.nat(5), (given, rounds) => {
      const takers = given.map((weight, at) => ({ service: `s${at}`, weight }));
      const sum = given.reduce((a, b) => a + b, 0);
      const owed = new Map<string, number>();
      const had = new Map<string, number>();
      for (let turn = 0; turn < sum * (rounds + 1); turn++) {
        const service = takeTurn(owed, takers)?.service ?? "";
        had.set(service, (had.get(service) ?? 0) + 1);
      }
      for (const { service, weight } of takers) expect(had.get(service) ?? 0).toBe(weight * (rounds + 1));
    }),
  );
});

test("turns are spread, not in blocks", () => {
  const owed = new Map<string, number>();
  const takers = [
    { service: "a", weight: 5 },
    { service: "b", weight: 1 },
    { service: "c", weight: 1 },
  ];
  const turns = Array.from({ length: 7 }, () => takeTurn(owed, takers)?.service);
  expect(turns.join("")).toBe("aabacaa");
});

test("the same state and the same takers give the same turn", () => {
  const takers = [
    { service: "a", weight: 2 },
    { service: "b", weight: 3 },
  ];
  const run = (): unknown[] => {
    const owed = new Map<string, number>();
    return Array.from({ length: 20 }, () => takeTurn(owed, takers)?.service);
  };
  expect(run()).toEqual(run());
});

test("where nobody has a weight the first is taken", () => {
  expect(takeTurn(new Map(), [{ service: "a", weight: 0 }])?.service).toBe("a");
  expect(takeTurn(new Map(), [])).toBeUndefined();
});
