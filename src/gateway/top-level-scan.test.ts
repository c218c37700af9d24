import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { RoutedBody } from "./routed-body.ts";
import { readRoutedBody } from "./routed-body.ts";
import { ScanError, TopLevelScan } from "./top-level-scan.ts";
import { WantedMembers } from "./wanted-members.ts";

const WANTED = new WantedMembers(["model", "stream"]);

/** Scans in slices of `step` bytes, which must make no difference. */
function scan(text: string, step = 1_000_000): TopLevelScan {
  const scan = new TopLevelScan(Buffer.from(text), WANTED);
  for (let limit = step; !scan.advance(limit); limit += step);
  return scan;
}

function failure(text: string, step?: number): ScanError | undefined {
  try {
    scan(text, step);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof ScanError) return thrown;
    throw thrown;
  }
}

function accepts(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

const members = fc.dictionary(
  fc.oneof(fc.constantFrom("model", "stream", "messages", 'mo"del', "mod", "model2"), fc.string()),
  fc.oneof(fc.jsonValue(), fc.string({ unit: "binary" }), fc.constant({ model: "inner", stream: true })),
);
const spacing = fc.constantFrom(undefined, 1, "\t", "  ");

describe("top-level scan", () => {
  it("finds exactly the value that JSON.parse finds, in one go or in slices", () => {
    fc.assert(
      fc.property(members, spacing, fc.integer({ min: 1, max: 40 }), (value, indent, step) => {
        const text = JSON.stringify(value, undefined, indent);
        const parsed: Record<string, unknown> = JSON.parse(text);
        const { spans, empty } = scan(text, step);
        expect(empty).toBe(Object.keys(parsed).length === 0);
        for (const key of ["model", "stream"]) {
          const span = spans.get(key);
          expect(span !== undefined).toBe(Object.hasOwn(parsed, key));
          const found = Buffer.from(text).toString("utf8", span?.start ?? 0, span?.end ?? 0) || "null";
          expect(JSON.parse(found)).toEqual(Object.hasOwn(parsed, key) ? parsed[key] : null);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("takes and refuses the same texts as JSON.parse", () => {
    const mutated = fc
      .tuple(
        members,
        fc.nat(),
        fc.constantFrom(
          "",
          '"',
          "\\",
          "{",
          "}",
          "[",
          "]",
          ",",
          ":",
          "0",
          "-",
          "e",
          ".",
          "\n",
          "\u0001",
          "tru",
          "\\u12",
        ),
        fc.nat(3),
      )
      .map(([value, at, insert, cut]) => {
        const text = JSON.stringify(value);
        const place = at % (text.length + 1);
        return text.slice(0, place) + insert + text.slice(place + cut);
      });
    fc.assert(
      fc.property(mutated, fc.integer({ min: 1, max: 40 }), (text, step) => {
        // What the scan reads is bytes; JSON.parse must see the same text.
        const same = Buffer.from(text).toString();
        const refused = failure(same, step);
        if (refused?.message.includes("appears twice") === true) return;
        expect(refused === undefined).toBe(accepts(same));
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    ['{"model": "a", }', 15, "member name"],
    ['{"model": "a"', 13, "before the object is closed"],
    ['{"model": "a\n"}', 12, "control character"],
    ['{"a": 01}', 7, '"," or "}"'],
    ['{"a": 1.}', 8, "number"],
    ['{"a": "\\x"}', 7, "escape"],
    ["[1]", 0, "an object"],
    ["{} {}", 3, "end of the text"],
    ["", 0, "before the object"],
    ['{"a":[1}', 7, '"," or "]"'],
  ])("says where %j is malformed", (text, at, words) => {
    const error = failure(text);
    expect(error?.at).toBe(at);
    expect(error?.message).toContain(words);
  });

  it("sees a name behind escapes, and is not fooled by nested or similar ones", () => {
    const text = '{"m\\u006fdel":"x","a":{"model":"inner"},"models":"y","b":"\\"model\\":\\"z\\""}';
    const span = scan(text).spans.get("model");
    expect(text.slice(span?.start, span?.end)).toBe('"x"');
  });

  it("refuses a member that decides the routing twice, also behind an escape", () => {
    expect(failure('{"model":"a","model":"b"}')?.message).toContain("appears twice");
    expect(failure('{"model":"a","\\u006dodel":"b"}')?.message).toContain("appears twice");
    expect(failure('{"x":{"model":"a"},"model":"b","y":[{"model":1}]}')).toBeUndefined();
  });

  it("bounds the depth instead of the stack", () => {
    expect(failure(`{"a":${"[".repeat(5000)}`)?.message).toContain("nested deeper");
    expect(failure(`{"a":${"[".repeat(1000)}${"]".repeat(1000)}}`)).toBeUndefined();
  });
});

const FRAME = { id: "r", operation: "chat", path: "/v1/chat/completions", headers: {} } as const;

const routed = (text: string): RoutedBody => {
  const body = readRoutedBody(FRAME, Buffer.from(text));
  if (body instanceof Promise) throw new Error("small bodies are read at once");
  return body;
};

describe("routed body", () => {
  it("replaces only the bytes of the model's value", () => {
    const strange =
      '{ "seed" : 1.0e+2,"model"\t: "omni" , "messages":[{"content":"\\u00e9 model"}], "stream":true}\n';
    const body = routed(strange);
    expect(body.model).toBe("omni");
    expect(body.stream).toBe(true);
    expect(body.bodyFor("engine-1", false).toString()).toBe(strange.replace('"omni"', '"engine-1"'));
    expect(body.bodyFor("omni", false)).toBe(body.bytes);
  });

  it("names the model where the caller did not", () => {
    expect(routed("{}").bodyFor("a", false).toString()).toBe('{"model":"a"}');
    expect(routed(' {"x":1}').bodyFor("a", false).toString()).toBe(' {"model":"a","x":1}');
  });

  it("keeps every other member for any body and alias", () => {
    fc.assert(
      fc.property(members, fc.string({ minLength: 1 }), spacing, (value, alias, indent) => {
        const text = JSON.stringify({ ...value, model: "asked" }, undefined, indent);
        const sent: unknown = JSON.parse(routed(text).bodyFor(alias, false).toString());
        expect(sent).toEqual({ ...JSON.parse(text), model: JSON.parse(JSON.stringify(alias)) });
      }),
      { numRuns: 1_000 },
    );
  });

  it("reads a large body in slices, with the same result", async () => {
    const text = JSON.stringify({
      messages: "é".repeat(600_000),
      nested: Array.from({ length: 50_000 }, () => ({ model: 1 })),
      model: "big",
    });
    const body = await readRoutedBody(FRAME, Buffer.from(text));
    expect(body.model).toBe("big");
    await expect(async () => readRoutedBody(FRAME, Buffer.from(`${text.slice(0, -1)},`))).rejects.toThrow(
      "ends before",
    );
  });

  it("refuses a model that is no string", () => {
    expect(() => routed('{"model":null}')).toThrow('"model" must be a string');
  });
});
