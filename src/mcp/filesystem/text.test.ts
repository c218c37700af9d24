import fc from "fast-check";
import { expect, it } from "vitest";
import { firstCharacter, lastCharacter, textOf } from "./text.ts";

/** Characters of one to four bytes. */
const unit = fc.constantFrom("a", "\n", "é", "\u07ff", "漢", "\uffee", "😀", "\u{10fffd}");

it("a text that is cut anywhere is cut between characters", () => {
  fc.assert(
    fc.property(fc.string({ unit, minLength: 1 }), fc.nat(), (text, where) => {
      const bytes = Buffer.from(text);
      const cut = where % (bytes.length + 1);
      const end = lastCharacter(bytes.subarray(0, cut));
      const begin = cut + firstCharacter(bytes.subarray(cut));
      expect(textOf(bytes.subarray(0, end))).toBeDefined();
      expect(textOf(bytes.subarray(begin))).toBeDefined();
      expect(cut - end).toBeLessThan(4);
    }),
    { numRuns: 300 },
  );
});

it("what is no text is none", () => {
  expect(textOf(Buffer.from("a\0b"))).toBe(undefined);
  expect(textOf(Buffer.from([0xc0, 0xae]))).toBe(undefined);
  expect(textOf(Buffer.from([0xff, 0xfe, 0x41, 0x00]))).toBe(undefined);
  expect(textOf(Buffer.from("\ufeffa"))).toBe("\ufeffa");
});
