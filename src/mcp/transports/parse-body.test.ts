import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { MAX_DEPTH, parseBody } from "./parse-body.ts";

const LIMIT = 10_000;

/** How deep a value nests, by walking it. */
function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

describe("reading a body", () => {
  it("reads what JSON.parse reads, and refuses by depth alone what is small", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const body = Buffer.from(JSON.stringify(value));
        fc.pre(body.length <= LIMIT);
        const parsed = parseBody(body, LIMIT);
        expect(parsed).toEqual({ ok: true, value: JSON.parse(body.toString()) });
      }),
      { numRuns: 50 },
    );
  });

  it("counts depth as a walk over the value does", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.string(), (depth, text) => {
        let value: unknown = text;
        for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { [text]: value };
        const parsed = parseBody(Buffer.from(JSON.stringify(value)), LIMIT);
        expect(parsed.ok).toBe(depthOf(value) <= MAX_DEPTH);
      }),
      { numRuns: 50 },
    );
  });

  it("does not mind a byte order mark", () => {
    expect(parseBody(Buffer.from("\uFEFF{}"), LIMIT)).toEqual({ ok: true, value: {} });
  });

  it("says by how much a body is too large", () => {
    const parsed = parseBody(Buffer.alloc(LIMIT + 1, 0x20), LIMIT);
    expect(parsed).toMatchObject({ ok: false, refusal: { status: 413 } });
  });
});
