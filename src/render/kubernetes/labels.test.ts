import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { labelText, unfitLabels } from "./labels.ts";

/** What Kubernetes takes as a label's value (apimachinery validation). */
const VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;

describe("labels", () => {
  it("are made of any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), (text) => {
        expect(labelText(text)).toMatch(VALUE);
        expect(labelText(text).length).toBeLessThanOrEqual(63);
      }),
    );
  });

  it("of the owner that Kubernetes refuses are found", () => {
    const labels = {
      tier: "one",
      "example.com/tier": "",
      "a/b/c": "x",
      "UPPER.com/x": "x",
      long: "x".repeat(64),
      space: "a b",
      "-dash": "x",
      [`${"d".repeat(260)}/x`]: "x",
    };
    expect(unfitLabels(labels).map(([key]) => key.slice(0, 10))).toEqual([
      "a/b/c",
      "UPPER.com/",
      "long",
      "space",
      "-dash",
      "dddddddddd",
    ]);
  });
});
