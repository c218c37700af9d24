import { evaluate } from "@marcbachmann/cel-js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { celString } from "./cel.ts";

describe("a text in CEL", () => {
  it.each([
    ["S7XXNJ0W", '"S7XXNJ0W"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ["a\nb", '"a\\u000ab"'],
    ["é😀", '"\\u00e9\\U0001f600"'],
  ])("%j is %s", (text, literal) => {
    expect(celString(text)).toBe(literal);
  });

  it("is read back by CEL as it was, whatever it holds", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 20 }), (text) => {
        fc.pre(text.isWellFormed());
        expect(evaluate(celString(text))).toBe(text);
        expect(evaluate(`${celString(text)} == ${celString(`${text}x`)} || false`)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it("is refused where UTF-8 has no form for it", () => {
    expect(() => celString("\ud800")).toThrow(expect.objectContaining({ code: "render.unrepresentable" }));
  });
});
