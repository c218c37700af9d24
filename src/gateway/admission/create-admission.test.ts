import { describe, expect, it } from "vitest";

import type { NoPlace, Place } from "./admission.ts";
import { createAdmission } from "./create-admission.ts";

const who = { key: "k", priority: 5 };
const forever = new AbortController().signal;

const placeOf = (answer: Place | NoPlace | undefined): Place => {
  if (answer === undefined || "status" in answer) throw new Error("no place");
  return answer;
};

function node(deadline = 10_000): {
  readonly capacity: Map<string, number>;
  readonly admission: ReturnType<typeof createAdmission>;
} {
  const capacity = new Map([
    ["a", 1],
    ["b", 1],
  ]);
  const admission = createAdmission({
    capacityOf: (service) => capacity.get(service),
    queueLimitOf: () => 2,
    queueLimit: 3,
    deadline,
  });
  return { capacity, admission };
}

describe("waiting for a place", () => {
  it("gives the first of several services that has one, first choice first", async () => {
    const { admission } = node();
    const wanted = [{ service: "a" }, { service: "b" }];
    const first = placeOf(await admission.enter(wanted, who, 1000, forever));
    const second = placeOf(await admission.enter(wanted, who, 1000, forever));
    expect([first.service, second.service]).toEqual(["a", "b"]);
    const third = admission.enter(wanted, who, 1000, forever);
    expect(admission.load("b")).toEqual({ running: 1, waiting: 1 });
    second.leave();
    expect(placeOf(await third).service).toBe("b");
    expect(admission.load("a")).toEqual({ running: 1, waiting: 0 });
  });

  it("ends with 503 after the deadline of the node, whatever longer time was asked for", async () => {
    const { admission } = node(30);
    const held = admission.tryEnter({ service: "a" }, who);
    const answer = await admission.enter([{ service: "a" }], who, 60_000, forever);
    expect(answer).toMatchObject({ status: 503, code: "queue_timeout" });
    expect(answer).toHaveProperty(
      "message",
      expect.stringContaining('No place at "a" became free within 0.0 s'),
    );
    expect(admission.load("a")).toEqual({ running: 1, waiting: 0 });
    held?.leave();
  });

  it("ends with nothing when the client leaves", async () => {
    const { admission } = node();
    const held = admission.tryEnter({ service: "a" }, who);
    const leaving = new AbortController();
    const answer = admission.enter([{ service: "a" }], who, 60_000, leaving.signal);
    expect(admission.load("a").waiting).toBe(1);
    leaving.abort();
    expect(await answer).toBeUndefined();
    expect(admission.load("a").waiting).toBe(0);
    held?.leave();
    expect(admission.load("a").running).toBe(0);
    expect(await admission.enter([{ service: "a" }], who, 60_000, leaving.signal)).toHaveProperty(
      "service",
      "a",
    );
  });

  it("does without a limit where there is none", () => {
    const { admission } = node();
    const places = Array.from({ length: 100 }, () => admission.tryEnter({ service: "elsewhere" }, who));
    expect(places.every((place) => place !== undefined)).toBe(true);
    expect(admission.load("elsewhere").running).toBe(100);
  });

  it("lets more in when a service grows, and none until enough have left when it shrinks", async () => {
    const { admission, capacity } = node();
    const first = placeOf(await admission.enter([{ service: "a" }], who, 1000, forever));
    const waiting = admission.enter([{ service: "a" }], who, 1000, forever);
    capacity.set("a", 2);
    admission.refresh();
    const second = placeOf(await waiting);
    capacity.set("a", 1);
    admission.refresh();
    first.leave();
    expect(admission.tryEnter({ service: "a" }, who)).toBeUndefined();
    second.leave();
    expect(admission.tryEnter({ service: "a" }, who)).toBeDefined();
  });
});
