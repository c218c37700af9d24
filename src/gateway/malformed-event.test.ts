import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { malformedEvent } from "./malformed-event.ts";

const at = (text: string): number | undefined => malformedEvent(Buffer.from(text));

describe("events in order", () => {
  test.each([
    "",
    'data: {"a":1}\n\n',
    'data:{"a":1}\r\n\r\n',
    "data: [DONE]\n\n",
    "data: [DONE]\n",
    ": a comment\n\n",
    "event: ping\ndata: {}\n\n",
    "data: {\ndata: }\n\n",
    "data:\n\n",
    'data: {"a":1}\n\n: waiting\n\ndata: [DONE]\n\n',
  ])("%j", (text) => {
    expect(at(text)).toBeUndefined();
  });
});

describe("half an object", () => {
  test.each([
    ['data: {"choices":[{"delta"\n\n', 0],
    ['data: {"a":1}\n\ndata: {"b"\n\ndata: [DONE]\n\n', 15],
    ["data: Internal Server Error\n\n", 0],
    ['event: x\r\ndata: {"a\r\n\r\n', 0],
  ])("%j is found where its event begins", (text, begin) => {
    expect(at(text)).toBe(begin);
  });
});

test("whatever an engine says in JSON is in order, and cut anywhere before its end it is not", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string()), fc.nat(), (value, cut) => {
      const json = JSON.stringify(value);
      expect(at(`data: ${json}\n\n`)).toBeUndefined();
      const half = json.slice(0, 1 + (cut % Math.max(1, json.length - 1)));
      fc.pre(half.length < json.length && !half.endsWith("}"));
      expect(at(`data: ${half}\n\n`)).toBe(0);
    }),
  );
});
