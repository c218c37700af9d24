import fc from "fast-check";
import { expect, it } from "vitest";
import { record } from "../../../test/telemetry/records.ts";
import { formatDuration } from "../../core/index.ts";
import type { RequestRecord } from "../request-record.ts";
import { putJsonLine, putTextLine } from "./access-line.ts";
import { PartsMemory } from "./line-parts.ts";
import { LineSheet } from "./line-sheet.ts";
import { recordLevel } from "./log-level.ts";

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom(
    "alice",
    "bob",
    'a "quoted" name',
    "zwölf 語 🙂",
    "back\\slash",
    "\u2028\n\r\u001B[31m\uD800",
  ),
);
const time = fc.oneof(
  fc.double({ min: 0, max: 5e6, noNaN: true }),
  fc.constantFrom(
    0,
    0.0004,
    0.0005,
    0.1,
    0.01,
    1.001,
    999.4999,
    999.9996,
    1000,
    59_999.99,
    2 ** 31,
    1e22,
    -3,
  ),
);
const figure = fc.option(fc.oneof(fc.nat(), fc.constantFrom(2 ** 31, 2 ** 40, 0.5)), { nil: undefined });
const anyRecord = fc.record({
  id: anyText,
  started: fc.integer({ min: 0, max: 4e12 }),
  status: fc.constantFrom(200, 404, 499, 502),
  outcome: fc.constantFrom("answered" as const, "cut" as const, "failed" as const),
  method: fc.constantFrom("GET", "POST"),
  path: anyText,
  key: anyText,
  route: fc.option(anyText, { nil: undefined }),
  service: fc.option(fc.constantFrom("oracle", "worker"), { nil: undefined }),
  model: fc.option(anyText, { nil: undefined }),
  stream: fc.boolean(),
  attempts: fc.integer({ min: 0, max: 3 }),
  continued: fc.integer({ min: 0, max: 2 }),
  duration: time,
  queued: time,
  firstToken: fc.option(time, { nil: undefined }),
  promptTokens: figure,
  completionTokens: figure,
  error: fc.option(anyText, { nil: undefined }),
});

const rounded = (value: number): number => Math.round(value * 1000) / 1000;

/** What a JSON line is, by the language's own writer. */
function expectedJson(one: RequestRecord): unknown {
  const { started, duration, queued, firstToken, ...rest } = one;
  const first = firstToken === undefined ? {} : { firstToken: rounded(firstToken) };
  const about = { ...rest, ...first, duration: rounded(duration), queued: rounded(queued) };
  return JSON.parse(
    JSON.stringify({ time: new Date(started), level: recordLevel(one), kind: "request", ...about }),
  );
}

const clean = (text: string): string => text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, "?");

/** What a line of text is, put together the slow way. */
function expectedText(one: RequestRecord): string {
  const known = (name: string, value: string | undefined): string =>
    value === undefined ? "" : ` ${name}=${clean(value)}`;
  const { promptTokens: prompt, completionTokens: said, firstToken: first } = one;
  const parts = [
    one.outcome === "answered" ? "" : ` ${one.outcome}`,
    ` ${formatDuration(one.duration)} key=${clean(one.key)}`,
    known("route", one.route),
    known("service", one.service),
    prompt === undefined && said === undefined ? "" : ` tokens=${prompt ?? "?"}+${said ?? "?"}`,
    first === undefined ? "" : ` first=${formatDuration(first)}`,
    one.queued >= 1 ? ` queued=${formatDuration(one.queued)}` : "",
    one.attempts > 1 ? ` attempts=${one.attempts}` : "",
    one.continued > 0 ? ` continued=${one.continued}` : "",
    known("error", one.error),
    known("id", one.id),
  ];
  return `${new Date(one.started).toISOString()} ${one.method} ${clean(one.path)} ${one.status}${parts.join("")}`;
}

/** Lines of many requests on one sheet, from one memory. */
function linesOf(format: "text" | "json", records: readonly RequestRecord[]): string[] {
  const sheet = new LineSheet();
  const memory = new PartsMemory(format);
  const put: typeof putJsonLine = format === "json" ? putJsonLine : putTextLine;
  for (const one of records) put(sheet, one, memory.of(one), one.tries?.length ?? 0);
  expect(sheet.length).toBe(sheet.take().length);
  for (const one of records) put(sheet, one, memory.of(one), one.tries?.length ?? 0);
  const text = sheet.take().toString();
  expect(text.endsWith("\n")).toBe(true);
  return text.slice(0, -1).split("\n");
}

const manyRecords = fc
  .array(anyRecord, { minLength: 1, maxLength: 30 })
  .map((all) => all.filter(({ path }) => !path.includes("?")).map((changes) => record(changes)))
  .filter((all) => all.length > 0);

it("is as JSON what the language's own writer makes of it, whatever the names and figures, also when one is like another", () => {
  fc.assert(
    fc.property(manyRecords, (records) => {
      const lines = linesOf("json", [...records, ...records.toReversed()]);
      expect(lines.map((line): unknown => JSON.parse(line))).toEqual(
        [...records, ...records.toReversed()].map(expectedJson),
      );
    }),
    { numRuns: 60 },
  );
});

it("is as text what its parts say, without anything that ends a line", () => {
  fc.assert(
    fc.property(manyRecords, (records) => {
      // Half of a pair of code units is no character, and UTF-8 has none for it.
      expect(linesOf("text", records)).toEqual(records.map((one) => expectedText(one).toWellFormed()));
    }),
    { numRuns: 60 },
  );
});

it("keeps as many kinds in mind as come, and no more than some hundred", () => {
  const records = Array.from({ length: 3000 }, (_, n) => record({ path: `/v1/${n}`, key: `key-${n % 700}` }));
  expect(linesOf("text", records)).toEqual(records.map(expectedText));
});
