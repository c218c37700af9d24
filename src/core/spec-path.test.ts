import * as fc from "fast-check";
import { expect, it } from "vitest";
import { formatPath, parsePath } from "./spec-path.ts";

it("reads every path that it writes", () => {
  const segment = fc.oneof(
    fc.nat({ max: 99 }),
    fc.string({ minLength: 1 }),
    fc.constantFrom("a.b", 'x"y', "[0]", "\\"),
  );
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 5 }), (path) => {
      expect(parsePath(formatPath(path))).toEqual(path);
    }),
  );
});

it("reads what people write", () => {
  expect(parsePath('services.oracle.devices[1].x["a.b"]')).toEqual([
    "services",
    "oracle",
    "devices",
    1,
    "x",
    "a.b",
  ]);
  expect(parsePath("")).toEqual([]);
});
