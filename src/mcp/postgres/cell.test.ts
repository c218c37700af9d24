import { expect, it } from "vitest";
import { cellOf } from "./cell.ts";

it.each([
  [null, 25, null],
  ["t", 16, true],
  ["f", 16, false],
  ["-12", 23, -12],
  ["1e+300", 701, 1e300],
  ["NaN", 701, "NaN"],
  ["-Infinity", 700, "-Infinity"],
  ["9007199254740993", 20, "9007199254740993"],
  ["0.10", 1700, "0.10"],
  ['{"n": 1.0}', 3802, '{"n": 1.0}'],
  ["\\x00ff", 17, "\\x00ff"],
])("gives %j of type %i as %j", (text, type, value) => {
  expect(cellOf(text, type, 100)).toEqual({ value, cut: false });
});

it("shortens what is long, says how long it was, and breaks no character", () => {
  expect(cellOf("abcdef", 25, 3)).toEqual({ value: "abc… (cut: 6 characters in all)", cut: true });
  expect(cellOf(`\\x${"ab".repeat(1000)}`, 17, 5000).value).toBe(
    `\\x${"ab".repeat(512)}… (cut: 1000 bytes in all)`,
  );
  const { value } = cellOf("a😀b", 25, 2);
  expect(String(value).isWellFormed()).toBe(true);
});
