import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { yamlDocument, yamlDocuments } from "./yaml.ts";

const HOSTILE = [
  "yes",
  "1:30",
  "~",
  "- a",
  "a: b",
  "#x",
  " x ",
  "l1\n l2\n\n",
  "%x",
  "*a",
  "|",
  "---\nx",
  "a\u007fb",
];

describe("a YAML document", () => {
  it("gives every text back to readers of YAML 1.1 and 1.2, as key and as value", () => {
    const text = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: "binary" }).filter((one) => one.isWellFormed()),
      fc.constantFrom(...HOSTILE),
    );
    fc.assert(
      fc.property(text, text, (key, value) => {
        fc.pre(key !== "__proto__" && key !== "<<");
        const written = yamlDocument({ [key]: [value] }, `${key} ${value}`);
        for (const version of ["1.1", "1.2"] as const)
          expect(parse(written, { version })).toEqual({ [key]: [value] });
      }),
    );
  });

  it("writes no character raw that go-yaml refuses", () => {
    const written = yamlDocument({ a: "\u0080\u007f\ufeff\u2028\u0085\ufffe" }, "\u0080 comment");
    // oxlint-disable-next-line no-control-regex -- these are what must not be there
    expect(written).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/);
    expect(parse(written)).toEqual({ a: "\u0080\u007f\ufeff\u2028\u0085\ufffe" });
  });

  it("refuses half of a surrogate pair", () => {
    expect(() => yamlDocument({ a: "x\ud800" })).toThrow(/surrogate pair/);
  });

  it("keeps long lines and puts several documents into one file", () => {
    const long = "word ".repeat(60).trim();
    expect(yamlDocuments([{ value: { a: long } }, { value: { b: 1 }, comment: "second" }])).toBe(
      `a: ${long}\n---\n# second\nb: 1\n`,
    );
  });
});
