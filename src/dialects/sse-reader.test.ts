import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { sseEvent } from "./sse-event.ts";
import type { SseEvent } from "./sse-reader.ts";
import { SseOverflow, SseReader } from "./sse-reader.ts";

const readAll = (text: string | Buffer): SseEvent[] => new SseReader().push(Buffer.from(text));

function readInPieces(bytes: Buffer, cuts: readonly number[]): SseEvent[] {
  const reader = new SseReader();
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b);
  let from = 0;
  return [...ends, bytes.length].flatMap((end) => {
    const events = reader.push(bytes.subarray(from, end));
    from = end;
    return events;
  });
}

describe("events of a stream", () => {
  test("data, name and id; a space behind the colon is no part of the value", () => {
    expect(readAll("event: ping\ndata:{}\nid: 7\n\ndata:  x\n\n")).toEqual([
      { event: "ping", data: "{}", id: "7" },
      { data: " x", id: "7" },
    ]);
  });

  test("lines end in LF, CR or CRLF, also mixed", () => {
    expect(readAll("data: a\r\n\r\ndata: b\n\ndata: c\r\rdata: d\r\n\n")).toEqual(
      ["a", "b", "c", "d"].map((data) => ({ data })),
    );
  });

  test("comments and unknown fields are nothing, several lines of data are one text", () => {
    expect(readAll(": hello\nretry: 5\ndata: a\n: between\ndata: b\ndata\n\n: only a comment\n\n")).toEqual([
      { data: "a\nb\n" },
    ]);
  });

  test("a byte order mark at the beginning is skipped, also in pieces", () => {
    const bytes = Buffer.from("\uFEFFdata: a\n\n");
    expect(readAll(bytes)).toEqual([{ data: "a" }]);
    expect(readInPieces(bytes, [1, 2, 3])).toEqual([{ data: "a" }]);
  });

  test("what no blank line ends does not come out, and is known to be held", () => {
    const reader = new SseReader();
    expect(reader.push(Buffer.from("data: a\n\ndata: cut"))).toEqual([{ data: "a" }]);
    expect(reader.idle).toBe(false);
    expect(reader.push(Buffer.from("\n\n"))).toEqual([{ data: "cut" }]);
    expect(reader.idle).toBe(true);
  });

  test("an event over the limit is an error, in one line or in many", () => {
    const reader = new SseReader(1000);
    reader.push(Buffer.from("data: "));
    const piece = Buffer.alloc(100, "x");
    expect(() => {
      for (let at = 0; at < 11; at++) reader.push(piece);
    }).toThrow(SseOverflow);
    expect(() => new SseReader(1000).push(Buffer.from("data: 0123456789\n".repeat(100)))).toThrow(
      "larger than 1000 bytes",
    );
  });

  test("a giant event in small pieces is read in linear time", () => {
    const reader = new SseReader(64 * 1024 * 1024);
    const piece = Buffer.alloc(1024, "y");
    reader.push(Buffer.from("data: "));
    for (let at = 0; at < 16 * 1024; at++) reader.push(piece);
    expect(reader.push(Buffer.from("\n\n"))[0]?.data.length).toBe(16 * 1024 * 1024);
  });

  const line = fc.string({ unit: "grapheme", maxLength: 12 }).map((text) => text.replaceAll(/[\r\n\0]/g, ""));
  const block = fc
    .record({
      data: fc.array(line, { minLength: 1, maxLength: 3 }),
      event: fc.option(line, { nil: undefined }),
      end: fc.constantFrom("\n", "\r\n", "\r"),
      comment: fc.boolean(),
    })
    .map(({ data, event, end, comment }) => {
      const lines = [
        ...(event === undefined ? [] : [`event: ${event}`]),
        ...data.map((text) => `data: ${text}`),
      ];
      return `${comment ? `: ü${end}` : ""}${lines.join(end)}${end}${end}`;
    });

  test("wherever the bytes are cut, the events are the same", () => {
    fc.assert(
      fc.property(
        fc.array(block, { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        (blocks, cuts) => {
          const bytes = Buffer.from(blocks.join(""));
          const whole = readAll(bytes);
          expect(whole).toHaveLength(blocks.length);
          expect(readInPieces(bytes, cuts)).toEqual(whole);
          expect(readInPieces(bytes, [...bytes.keys()])).toEqual(whole);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("what is written is read back", () => {
    expect(readAll(sseEvent('{"a":"ü"}', "x") + sseEvent("[DONE]"))).toEqual([
      { event: "x", data: '{"a":"ü"}' },
      { data: "[DONE]" },
    ]);
  });
});
