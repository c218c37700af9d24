import { describe, expect, it } from "vitest";
import type { NodeEvent } from "../../live/live-state.ts";
import { filterOf, filterQuery, NO_FILTER, passes } from "./event-filter.ts";
import { eventRows } from "./event-rows.ts";
import { mergedEvents } from "./merged-events.ts";

const event = (seq: number, more: Partial<NodeEvent> = {}): NodeEvent => ({
  seq,
  time: seq * 1000,
  severity: "info",
  kind: "service.ready",
  message: `event ${seq}`,
  ...more,
});
const numbers = (events: readonly NodeEvent[]): readonly number[] => events.map(({ seq }) => seq);

describe("the filter", () => {
  it("stands in the address and comes back from it, without what is no filter", () => {
    const filter = { ...NO_FILTER, severity: "warning" as const, text: "out of memory", minutes: "60" };
    expect(filterOf(new URLSearchParams(filterQuery(filter)))).toEqual(filter);
    expect(filterOf(new URLSearchParams("severity=loud&minutes=-1"))).toEqual(NO_FILTER);
  });

  it("goes by severity, family or kind, service, time and words of message or data", () => {
    const one = event(1, {
      severity: "warning",
      kind: "request.cut",
      service: "oracle",
      data: { card: "GPU-9" },
    });
    const shown = (part: Partial<typeof NO_FILTER>): boolean =>
      passes(one, { ...NO_FILTER, ...part }, 60_000);
    expect([shown({}), shown({ severity: "warning" }), shown({ severity: "error" })]).toEqual([
      true,
      true,
      false,
    ]);
    expect([shown({ kind: "request." }), shown({ kind: "service." })]).toEqual([true, false]);
    expect([shown({ service: "oracle" }), shown({ service: "chat" })]).toEqual([true, false]);
    expect([shown({ text: "gpu-9" }), shown({ text: "EVENT" }), shown({ text: "no" })]).toEqual([
      true,
      true,
      false,
    ]);
    expect(passes(one, { ...NO_FILTER, minutes: "1" }, 62_000)).toBe(false);
  });
});

describe("rows", () => {
  it("are newest first, under the minutes that they happened in", () => {
    const rows = eventRows([event(58), event(59), event(61)]);
    expect(rows.map((row) => (row.kind === "minute" ? `${row.time} ${row.count}` : row.event.seq))).toEqual([
      "60000 1",
      61,
      "0 2",
      59,
      58,
    ]);
  });

  it("keep the name of a minute while events come to it, so that a list keeps its place", () => {
    const keys = (events: readonly NodeEvent[]): readonly string[] => eventRows(events).map(({ key }) => key);
    const before = keys([event(1), event(2)]);
    expect(keys([event(1), event(2), event(3)])).toEqual([before[0], "event 3", ...before.slice(1)]);
  });
});

describe("older and newer events", () => {
  it("are joined, each once", () => {
    expect(numbers(mergedEvents([event(1), event(2), event(3)], [event(3), event(4)]))).toEqual([1, 2, 3, 4]);
    expect(numbers(mergedEvents([], [event(4)]))).toEqual([4]);
    expect(numbers(mergedEvents([event(1)], []))).toEqual([1]);
  });

  it("are never shown with a hole between them", () => {
    expect(numbers(mergedEvents([event(1), event(2)], [event(9)]))).toEqual([9]);
  });
});
