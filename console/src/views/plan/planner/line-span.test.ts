import { expect, it } from "vitest";
import { lineSpan } from "./line-span.ts";

it("finds a line of a text", () => {
  const text = "omni: 1\nname: x\n";
  const cut = (line: number): string => text.slice(...lineSpan(text, line));
  expect([1, 2, 3, 9].map(cut)).toEqual(["omni: 1", "name: x", "", ""]);
  expect(lineSpan(text, 9)).toEqual([16, 16]);
});
