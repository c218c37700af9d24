import fc from "fast-check";
import { expect, it } from "vitest";
import { clip, columnsOf, oneLine, pad } from "./cells.ts";

/** What a terminal could take for more than a character. */
const ORDERS = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u;

/** Any code points, halves of pairs as well. */
const anyText = fc
  .array(fc.nat(0x10_ff_ff), { maxLength: 30 })
  .map((points) => String.fromCodePoint(...points));

it("wide characters and emoji take two columns, marks none", () => {
  expect(["oracle", "模型", "ﾓ", "モ", "é", "e\u0301", "🎉", "한글", "▓│·…°"].map(columnsOf)).toEqual([
    6, 4, 1, 2, 1, 1, 2, 4, 5,
  ]);
});

it("what moves, hides or turns text is left out of a line", () => {
  expect(oneLine("a\u001B[2J\tb\r\nc\u202Ed\u200B\u0007e\u009Bf\u2028g\uFEFF\uFE0Fh")).toBe("a b  cde g h");
});

it("what is cut ends in an ellipsis and never in half a wide character", () => {
  expect(clip("模型模型", 8)).toBe("模型模型");
  expect(clip("模型模型", 7)).toBe("模型模…");
  expect(clip("模型模型", 6)).toBe("模型…");
  expect(clip("oracle", 0)).toBe("");
  expect(pad("模型模型", 6)).toBe("模型… ");
  expect(pad("12", 4, "right")).toBe("  12");
});

it("whatever the text, padding gives exactly the columns that were asked for", () => {
  fc.assert(
    fc.property(
      fc.oneof(anyText, fc.string({ unit: "grapheme" })),
      fc.nat(60),
      fc.constantFrom("left", "right"),
      (text, width, to) => {
        const padded = pad(oneLine(text), width, to);
        expect(columnsOf(padded)).toBe(width);
        expect(ORDERS.test(padded)).toBe(false);
      },
    ),
  );
});
