import fc from "fast-check";
import { expect, test } from "vitest";
import { questionText } from "./approval-question.ts";
import { visible } from "./visible-text.ts";

test("nothing that moves, hides or ends a line is left in a text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
      expect(visible(text, 1000)).not.toMatch(/[^\P{C}]|\p{Zl}|\p{Zp}|[^\P{Zs} ]/u);
    }),
  );
  expect(visible("a\u202Eb\u200Dc\u001B[31m\n", 100)).toBe(String.raw`a\u{202e}b\u{200d}c\u{1b}[31m\n`);
  expect(visible("naïve 日本語 👍 ok", 100)).toBe("naïve 日本語 👍 ok");
  expect(visible("abcdef", 3)).toBe("abc… (6 characters)");
});

test("a question has one line for each argument, whatever they hold", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue(), { maxKeys: 10 }),
      fc.string({ unit: "binary" }),
      (args, tool) => {
        const count = Object.keys(args).length;
        const lines = questionText({ server: "data", tool, args }).split(/\r\n|[\n\r\u0085\u2028\u2029]/);
        expect(lines).toHaveLength(count === 0 ? 5 : count + 5);
        expect(lines.filter((line) => line.startsWith("Server:"))).toEqual(["Server: data"]);
      },
    ),
  );
});
