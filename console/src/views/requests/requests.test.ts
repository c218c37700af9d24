import { describe, expect, it } from "vitest";
import type { RequestRow } from "../../live/live-state.ts";
import { joinedRequests } from "./joined-requests.ts";
import { filterOf, filterQuery, NO_FILTER, passes } from "./request-filter.ts";
import { requestPhases } from "./request-phases.ts";
import { hasFailed, requestSums, wasRescued } from "./request-sums.ts";

const row = (id: string, more: Partial<RequestRow> = {}): RequestRow => ({
  id,
  started: Number(id),
  method: "POST",
  path: "/v1/chat/completions",
  operation: "chat",
  status: 200,
  outcome: "answered",
  key: "team",
  stream: true,
  attempts: 1,
  continued: 0,
  duration: 100,
  queued: 0,
  bytesIn: 0,
  bytesOut: 0,
  ...more,
});

it("the filter stands in the address, and holds for what the stream brings", () => {
  const filter = { ...NO_FILTER, key: "team", outcome: "cut" };
  expect(filterOf(new URLSearchParams(filterQuery(filter) as Record<string, string>))).toEqual(filter);
  expect([passes(row("1", { outcome: "cut" }), filter), passes(row("1"), filter)]).toEqual([true, false]);
});

it("the stream's requests join those that were asked for, newest first, each once", () => {
  const joined = joinedRequests(
    [row("3"), row("1")],
    [row("2"), row("3"), row("4"), row("5", { key: "other" })],
    { ...NO_FILTER, key: "team" },
  );
  expect(joined.map(({ id }) => id)).toEqual(["4", "3", "2", "1"]);
});

it("sums go by key or route, those with most requests first", () => {
  const rows = [
    row("1", { key: "a", promptTokens: 10, completionTokens: 5 }),
    row("2", { key: "b", route: "main" }),
    row("3", { key: "b", route: "main", outcome: "cut", promptTokens: 1 }),
  ];
  expect(requestSums(rows, "key")).toEqual([
    { name: "b", requests: 2, failed: 1, promptTokens: 1, completionTokens: 0 },
    { name: "a", requests: 1, failed: 0, promptTokens: 10, completionTokens: 5 },
  ]);
  expect(requestSums(rows, "route").map(({ name }) => name)).toEqual(["main", "none"]);
});

it("tells failures from clients that left, and answers that had to be rescued", () => {
  expect(hasFailed({ outcome: "abandoned", status: 499 })).toBe(false);
  expect(hasFailed({ outcome: "answered", status: 400 })).toBe(true);
  expect(wasRescued({ attempts: 2, continued: 0 })).toBe(true);
  expect(wasRescued({ attempts: 1, continued: 1 })).toBe(true);
});

describe("where the time of a request went", () => {
  it("comes to its duration", () => {
    const phases = requestPhases({ queued: 20, firstToken: 50, duration: 100 });
    expect(phases.map(({ time }) => time)).toEqual([20, 30, 50]);
  });

  it("is never less than nothing, whatever was measured", () => {
    for (const times of [
      { queued: 200, duration: 100 },
      { queued: 80, firstToken: 10, duration: 100 },
      { queued: 0, firstToken: 300, duration: 100 },
    ]) {
      const phases = requestPhases(times);
      expect(phases.reduce((sum, { time }) => sum + time, 0)).toBe(100);
      expect(phases.every(({ time }) => time > 0)).toBe(true);
    }
  });
});
