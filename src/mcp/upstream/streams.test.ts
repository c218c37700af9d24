import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { EventStream } from "./event-stream.ts";
import { isMessage, messagesIn } from "./json-message.ts";
import { MessageLines } from "./message-lines.ts";
import { redactor } from "./redact.ts";

/** Cuts bytes at the given places, as a network does. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...at].map((from, index) => bytes.subarray(from, at[index] ?? bytes.length));
}

const words = fc.string({ unit: "binary" }).map((text) => text.replaceAll(/[\r\n]/g, " "));

describe("streams, cut wherever", () => {
  test("lines come whole and in order", () => {
    fc.assert(
      fc.property(fc.array(words), fc.array(fc.nat()), (lines, places) => {
        const reader = new MessageLines(1_000_000);
        const seen: string[] = [];
        const bytes = Buffer.from(
          lines.map((line, index) => `${line}${index % 2 === 0 ? "\n" : "\r\n"}`).join(""),
        );
        for (const chunk of cut(bytes, places))
          expect(reader.push(chunk, (line) => seen.push(line))).toBe(true);
        expect(seen).toEqual(lines.map((line) => Buffer.from(line).toString("utf8")));
      }),
    );
  });

  test("a line is bounded, however it comes", () => {
    for (const size of [1, 7, 1000]) {
      const reader = new MessageLines(100);
      const bytes = Buffer.from(`${"a".repeat(100)}\n${"b".repeat(101)}\n`);
      const seen: string[] = [];
      const results: boolean[] = [];
      for (let from = 0; from < bytes.length; from += size) {
        results.push(reader.push(bytes.subarray(from, from + size), (line) => seen.push(line)));
        if (results.at(-1) === false) break;
      }
      expect(seen).toEqual(["a".repeat(100)]);
      expect(results.at(-1)).toBe(false);
    }
  });

  test("events come whole and in order, with their ids", () => {
    const event = fc.record({
      data: words.filter((text) => text !== ""),
      id: fc.option(fc.nat().map(String)),
    });
    fc.assert(
      fc.property(fc.array(event), fc.array(fc.nat()), (events, places) => {
        const data: string[] = [];
        const ids: string[] = [];
        const reader = new EventStream(1_000_000, {
          onData: (text) => void data.push(text),
          onId: (id) => void ids.push(id),
          onRetry: () => {},
        });
        const text = events
          .map((each) => `: comment\n${each.id === null ? "" : `id: ${each.id}\n`}data: ${each.data}\n\n`)
          .join("");
        for (const chunk of cut(Buffer.from(text), places)) expect(reader.push(chunk)).toBe(true);
        expect(data).toEqual(events.map((each) => Buffer.from(each.data).toString("utf8")));
        expect(ids).toEqual(events.flatMap(({ id }) => id ?? []));
      }),
    );
  });

  test("other events, empty ones, several lines, carriage returns, and a bound", () => {
    const data: string[] = [];
    let wait = 0;
    const reader = new EventStream(20, {
      onData: (text) => void data.push(text),
      onId: () => {},
      onRetry: (milliseconds) => {
        wait = milliseconds;
      },
    });
    const text =
      "retry: 250\r\nevent: ping\ndata: x\n\ndata:\n\ndata: a\ndata: b\r\n\r\nevent: message\ndata:c\n\n";
    expect(reader.push(Buffer.from(text))).toBe(true);
    expect(data).toEqual(["a\nb", "c"]);
    expect(wait).toBe(250);
    expect(reader.push(Buffer.from(`data: ${"x".repeat(30)}`))).toBe(false);
  });
});

test("what has the form of a message, and what has not", () => {
  const notification = { jsonrpc: "2.0", method: "m" };
  expect(messagesIn(JSON.stringify(notification))).toEqual([notification]);
  expect(messagesIn(JSON.stringify([notification, 1, null]))).toEqual([notification]);
  for (const value of [
    null,
    1,
    {},
    [],
    { jsonrpc: "2.0" },
    { jsonrpc: "1.0", method: "m" },
    { jsonrpc: "2.0", method: 1 },
  ]) {
    expect(isMessage(value)).toBe(false);
  }
  expect(() => messagesIn("<html>")).toThrow(SyntaxError);
});

test("secrets are hidden, given ones and those that look like one; short words are not", () => {
  const clean = redactor(["hunter2-hunter2", "true"]);
  expect(clean("hunter2-hunter2 is true")).toBe("*** is true");
  expect(clean("postgres://me:secret@host/db")).toBe("postgres://***@host/db");
  expect(clean("Authorization: Bearer abc.def-ghi, api_key=12345678")).not.toMatch(/abc\.def|12345678/);
  expect(clean("\u001b[31mred\u0007")).toBe("[31mred");
  expect(clean("x".repeat(5000)).length).toBeLessThanOrEqual(401);
});
