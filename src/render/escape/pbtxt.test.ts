import { describe, expect, it } from "vitest";
import { pbtxtString } from "./pbtxt.ts";

describe("a text in protobuf's text format", () => {
  it.each([
    ["mistral-nemo", '"mistral-nemo"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ["a\n\r\tb", '"a\\n\\r\\tb"'],
    ["\u00017", '"\\0017"'],
    ["\u007f", '"\\177"'],
    ["é😀 'x' #y", `"é😀 'x' #y"`],
  ])("%j is %s", (text, literal) => {
    expect(pbtxtString(text)).toBe(literal);
  });

  it("is refused where UTF-8 has no form for it", () => {
    expect(() => pbtxtString("a\udc00")).toThrow(expect.objectContaining({ code: "render.unrepresentable" }));
  });
});
