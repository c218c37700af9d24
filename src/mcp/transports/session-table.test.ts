import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { NewEvent } from "../../core/index.ts";
import { BEAT_MS, Pulse } from "./pulse.ts";
import { SessionTable, type TableEntry } from "./session-table.ts";

/** A session that remembers whether it was ended. */
class Entry implements TableEntry {
  readonly id: string;
  readonly key: string;
  works = false;
  listens = false;
  ended = false;

  constructor(id: string, key = "local") {
    this.id = id;
    this.key = key;
  }

  busy(): boolean {
    return this.works;
  }

  listening(): boolean {
    return this.listens;
  }

  end(): Promise<void> {
    this.ended = true;
    return Promise.resolve();
  }
}

const events = {
  record: (event: NewEvent) => ({ ...event, seq: 1, time: 0 }),
  after: () => [],
  latest: () => [],
  subscribe: () => () => undefined,
};

let pulse: Pulse;

beforeEach(() => {
  vi.useFakeTimers();
  pulse = new Pulse();
});

afterEach(() => {
  pulse.close();
  vi.useRealTimers();
});

describe("the table of sessions", () => {
  it("ends what was idle too long, but not what works or listens", () => {
    const table = new SessionTable<Entry>(10, 60_000, pulse, events);
    const [idle, busy, listening, used] = ["a", "b", "c", "d"].map((id) => new Entry(id));
    if (!idle || !busy || !listening || !used) throw new Error("four entries");
    busy.works = true;
    listening.listens = true;
    for (const entry of [idle, busy, listening, used]) table.add(entry);
    vi.advanceTimersByTime(45_000);
    expect(table.use("d", "local")).toBe(used);
    vi.advanceTimersByTime(30_000);
    expect([idle, busy, listening, used].map(({ ended }) => ended)).toEqual([true, false, false, false]);
    expect(table.size).toBe(3);
  });

  it("has no timer while there is no session", () => {
    const table = new SessionTable<Entry>(10, 60_000, pulse, events);
    expect(pulse.running).toBe(false);
    table.add(new Entry("a"));
    expect(vi.getTimerCount()).toBe(1);
    table.delete("a");
    vi.advanceTimersByTime(BEAT_MS);
    expect([pulse.running, vi.getTimerCount()]).toEqual([false, 0]);
  });

  it("gives a session to the key alone that opened it", () => {
    const table = new SessionTable<Entry>(10, 60_000, pulse, events);
    const entry = new Entry("a", "owner");
    table.add(entry);
    expect(table.use("a", "thief")).toBeUndefined();
    expect(table.use("a", "owner")).toBe(entry);
  });

  it("makes room of those that work last of all", () => {
    const table = new SessionTable<Entry>(2, 60_000, pulse, events);
    const [first, second] = [new Entry("a"), new Entry("b")];
    first.works = true;
    second.listens = true;
    table.add(first);
    table.add(second);
    table.add(new Entry("c"));
    expect([first.ended, second.ended, table.size]).toEqual([false, true, 2]);
  });
});
