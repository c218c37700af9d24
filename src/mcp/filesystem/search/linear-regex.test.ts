import fc from "fast-check";
import { expect, it } from "vitest";
import { linearRegex } from "./linear-regex.ts";

it.each<[string, string, boolean]>([
  ["abc", "xabcx", true],
  ["^abc$", "xabc", false],
  ["^$", "", true],
  ["^$", "a", false],
  ["a|", "b", true],
  ["(foo|ba[rz])+!", "foobarbaz!", true],
  ["\\bcat\\b", "a cat sat", true],
  ["\\bcat\\b", "concat", false],
  ["\\Bcat", "concat", true],
  ["\\d{3}-\\d{2,}", "call 555-0199", true],
  ["\\d{3}-\\d{2,}", "call 55-0199", false],
  ["[^a-z]", "abc", false],
  ["[\\w.-]+@[\\w-]+\\.\\w+", "to: a.b@c-d.org", true],
  ["[]x]", "]", true],
  [".", "😀", true],
  ["^.$", "😀", true],
  ["\\u{1F600}", "😀", true],
  ["\\x41\\t", "A\t", true],
  ["a{,3}", "a{,3}", true],
  ["x*?y", "xxy", true],
])("%s on %j: %s", (source, line, expected) => {
  expect(linearRegex(source, false)(line)).toBe(expected);
});

it("one case or both", () => {
  expect(linearRegex("straße [A-Z]", false)("STRASSE x")).toBe(false);
  expect(linearRegex("error [a-c]", true)("ERROR B")).toBe(true);
});

it("agrees with the language's own expressions", () => {
  const atom = fc.constantFrom("a", "b", "c", ".", "[ab]", "[^a]", "\\w", "\\b", "^", "$", " ");
  const piece = fc
    .tuple(atom, fc.constantFrom("", "", "*", "+", "?", "{2}", "{1,2}"))
    .map(([one, many]) => (/^(?:\\b|\^|\$)$/.test(one) ? one : one + many));
  const { expression } = fc.letrec<{ expression: string; group: string }>((tie) => ({
    expression: fc
      .array(fc.oneof({ weight: 4, arbitrary: piece }, { weight: 1, arbitrary: tie("group") }), {
        maxLength: 5,
      })
      .map((parts) => parts.join("")),
    group: fc
      .tuple(tie("expression"), tie("expression"), fc.constantFrom("", "*", "+", "?"))
      .map(([one, other, many]) => `(${one}|${other})${many}`),
  }));
  const line = fc
    .array(fc.constantFrom("a", "b", "c", " ", "é"), { maxLength: 8 })
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(expression, fc.array(line, { minLength: 1, maxLength: 5 }), (source, lines) => {
      const ours = linearRegex(source, false);
      const theirs = new RegExp(source);
      for (const text of lines) expect(ours(text)).toBe(theirs.test(text));
    }),
    { numRuns: 500 },
  );
});
