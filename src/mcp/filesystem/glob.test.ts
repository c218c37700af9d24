import fc from "fast-check";
import { expect, it } from "vitest";
import { charactersOf, compileGlob } from "./glob.ts";

const matches = (glob: string, path: string): boolean =>
  compileGlob(glob).matches(path.split("/").map(charactersOf));

it.each<[string, string, boolean]>([
  ["*.md", "a.md", true],
  ["*.md", "a.mdx", false],
  ["*.md", ".md", true],
  ["a*b*c", "axxbyyc", true],
  ["a*b*c", "axxcyyb", false],
  ["*aa*aa*", "aaa", false],
  ["?", "é", true],
  ["?", "😀", true],
  ["?", "", false],
  ["[a-c]x", "bx", true],
  ["[!a-c]x", "bx", false],
  ["[]]", "]", true],
  ["[ab", "[ab", true],
  ["\\*", "*", true],
  ["\\*", "x", false],
  ["{a,b}{c,d}", "bc", true],
  ["{a,{b,c}}", "c", true],
  ["{a}", "{a}", true],
  ["**", "a/b/c", true],
  ["**/x", "x", true],
  ["**/x", "a/b/x", true],
  ["a/**/x", "a/x", true],
  ["a/**/b/**/x", "a/1/b/2/3/x", true],
  ["a/**", "a", true],
  ["a/**", "b", false],
  ["a/*", "a/b/c", false],
  ["/a/", "a", true],
])("%s on %s: %s", (glob, path, expected) => {
  expect(matches(glob, path)).toBe(expected);
});

it("agrees with a regular expression on stars and question marks", () => {
  const glob = fc.array(fc.constantFrom("*", "?", "a", "b"), { maxLength: 8 }).map((parts) => parts.join(""));
  const name = fc.array(fc.constantFrom("a", "b"), { maxLength: 10 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(glob, name, (pattern, text) => {
      const expected = new RegExp(`^${pattern.replaceAll(/\*+/g, ".*").replaceAll("?", ".")}$`);
      fc.pre(pattern !== "**");
      expect(matches(pattern, text)).toBe(expected.test(text));
    }),
    { numRuns: 500 },
  );
});

it("what may end in a name is a wider question than what matches", () => {
  const [glob] = compileGlob("**/etc/{shadow}*").alternatives;
  expect(glob?.last).toBe(undefined);
  expect(glob?.mayEnd(charactersOf("{shadow}-"))).toBe(true);
  expect(glob?.mayEnd(charactersOf("passwd"))).toBe(false);
  expect(compileGlob("a/b.c").alternatives[0]?.last).toBe("b.c");
});
