import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codeSpan } from "./markdown.ts";

/** Reads one code span as CommonMark 6.1 says: up to a run of as many backticks, one space taken off either end. */
function readSpan(source: string): { readonly text: string; readonly rest: string } {
  const fence = /^`+/.exec(source)?.[0] ?? "";
  const runs = [...source.slice(fence.length).matchAll(/`+/g)];
  const end = runs.find(([run]) => run.length === fence.length)?.index ?? -1;
  const inner = source.slice(fence.length, fence.length + end);
  const text = /^ .*[^ ].* $|^ [^ ]+ $/.test(inner) ? inner.slice(1, -1) : inner;
  return { text, rest: source.slice(fence.length + end + fence.length) };
}

describe("a text as code in Markdown", () => {
  it.each([
    ["a", "`a`"],
    ["a`b", "``a`b``"],
    ["`", "`` ` ``"],
    ["a\nb", "`a b`"],
    ["<b>*x*", "`<b>*x*`"],
  ])("%j is %s", (text, span) => {
    expect(codeSpan(text)).toBe(span);
  });

  it("ends where it was ended, whatever it holds", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[`a<*| ]{1,12}$/), (text) => {
        fc.pre(text.trim() !== "");
        expect(readSpan(`${codeSpan(text)}|rest`)).toEqual({ text, rest: "|rest" });
      }),
      { numRuns: 300 },
    );
  });
});
