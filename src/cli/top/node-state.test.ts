import { describe, expect, it } from "vitest";
import { EMPTY_PLAN, placed } from "../../../test/fakes/empty-plan.ts";
import { nodeState, serviceNamed } from "../../../test/fakes/top-state.ts";
import type { NodeState } from "./node-state.ts";
import { withMessage } from "./node-state.ts";
import { topModel } from "./top-model.ts";

const GIB = 2 ** 30;
const ended = (id: string, more: object = {}): NonNullable<NodeState["requests"]>[number] => ({
  id,
  started: 99_000,
  method: "POST",
  path: "/v1/chat/completions",
  operation: "chat",
  status: 200,
  outcome: "answered",
  key: "local",
  service: "oracle",
  stream: true,
  attempts: 1,
  continued: 0,
  duration: 1100,
  queued: 0,
  firstToken: 100,
  completionTokens: 51,
  bytesIn: 1,
  bytesOut: 1,
  ...more,
});
const after = (state: NodeState, event: string, data: unknown, now = 0): NodeState =>
  withMessage(state, { event, data: JSON.stringify(data) }, now);
const model = (state: NodeState, now = 101_000): ReturnType<typeof topModel> =>
  topModel(state, { state: "live" }, now);

describe("what the stream tells", () => {
  it("changed services take their place, new ones come last, gone ones go", () => {
    const state = after(nodeState(["oracle", "executor"]), "services", {
      services: [serviceNamed("flux"), { ...serviceNamed("executor", "failed"), reason: "It broke." }],
      gone: ["oracle"],
      traffic: {},
    });
    expect(state.status.services.map(({ name, state: is }) => [name, is])).toEqual([
      ["executor", "failed"],
      ["flux", "ready"],
    ]);
  });

  it("events that are told twice are there once", () => {
    const state = nodeState([]);
    const again = { ...state.events[2], seq: 3, time: 3, severity: "info", kind: "k", message: "m" } as const;
    const data = { events: [again, { ...again, seq: 4 }], skipped: 0 };
    expect(after(state, "events", data).events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  });

  it("messages that this version does not know, or that are broken, are passed over", () => {
    const state = nodeState(["oracle"]);
    for (const message of [{ event: "weather", data: "{}" }, { event: "open", data: "{" }, { data: "{}" }])
      expect(withMessage(state, message, 0)).toBe(state);
    expect(after(state, "toString", {})).toBe(state);
    expect(after(state, "status", { version: 1 })).toBe(state);
  });

  it("open requests are those of clients, not this program's own", () => {
    const one = { id: "r", started: 0, operation: "node", key: "local", stream: true, attempts: 0 };
    const data = { requests: [one, { ...one, operation: "chat" }], total: 9 };
    expect(model(after(nodeState([]), "open", data)).requests.open).toBe(8);
  });
});

describe("figures of requests", () => {
  it("counts the last minute, those that were too many to tell as well", () => {
    let state: NodeState = { ...nodeState(["oracle"]), requests: [] };
    const rows = [
      ended("a"),
      ended("b"),
      ended("own", { operation: "node" }),
      ended("old", { started: 30_000 }),
    ];
    state = after(state, "requests", { requests: rows, skipped: 5 }, 100_500);
    state = after(state, "requests", { requests: [ended("b")], skipped: 0 }, 100_600);
    expect(model(state).requests).toEqual({ open: 0, perMinute: 7, tokensPerSecond: 102 / 60 });
    expect(model(state, 200_000).requests.perMinute).toBe(0);
  });

  it("gives medians of the time to the first token and of the pace after it, by service", () => {
    const slow = ended("c", { firstToken: 600, duration: 2600 });
    const state = { ...nodeState(["oracle", "flux"]), requests: [ended("a"), ended("b"), slow] };
    const [oracle, flux] = model(state).services;
    expect([oracle?.ttft, oracle?.tokensPerSecond]).toEqual([100, 50]);
    expect([flux?.ttft, flux?.tokensPerSecond]).toEqual([undefined, undefined]);
  });

  it("says nothing of what the key may not see", () => {
    expect(model(nodeState(["oracle"])).requests).toEqual({ open: 0 });
  });
});

describe("who holds a card", () => {
  const card = { uuid: "GPU-1", index: 0, name: "Card", memoryTotal: 24 * GIB, memoryUsed: 20 * GIB };
  const terms = { weights: 0, kvCache: 0, compute: 0, overhead: 0, capacity: 24 * GIB };
  const withCard = (seen: object, services: NodeState["status"]["services"]): NodeState => {
    const state = nodeState([]);
    return {
      ...state,
      status: { ...state.status, services },
      hardware: {
        source: "nvml",
        notes: [],
        names: { "gpu-0": "GPU-1" },
        reading: {
          time: 0,
          cards: [{ ...card, ...seen }],
          host: { memoryTotal: 1, memoryAvailable: 1, disks: [] },
        },
      },
      plan: {
        ...EMPTY_PLAN,
        services: services.map(({ name }) =>
          placed(name, { devices: ["gpu-0"], memory: [{ device: "gpu-0", ...terms, total: 15 * GIB }] }),
        ),
      },
    };
  };
  const holdings = (state: NodeState): unknown => model(state).cards[0]?.holdings;

  it("the driver's count by process is believed, the rest is of others", () => {
    const services = [{ ...serviceNamed("oracle"), pid: 7 }];
    expect(holdings(withCard({ holders: [{ pid: 7, bytes: 12 * GIB }] }, services))).toEqual([
      { service: "oracle", bytes: 12 * GIB, by: "driver" },
      { bytes: 8 * GIB, by: "driver" },
    ]);
  });

  it("where the driver does not tell, the plan does, within what is used", () => {
    const services = [serviceNamed("oracle"), serviceNamed("flux"), serviceNamed("idle", "unloaded")];
    expect(holdings(withCard({}, services))).toEqual([
      { service: "oracle", bytes: 15 * GIB, by: "plan" },
      { service: "flux", bytes: 5 * GIB, by: "plan" },
    ]);
    expect(model(withCard({}, services)).cards[0]?.device).toBe("gpu-0");
  });

  it("a card whose memory is not told shows nobody", () => {
    expect(holdings(withCard({ memoryUsed: undefined }, [serviceNamed("oracle")]))).toEqual([]);
  });
});
