import { expect, it } from "vitest";
import { NO_STATE, withMessage } from "./live-state.ts";
import type { LiveState, NodeEvent, Service } from "./live-state.ts";

const event = (seq: number): NodeEvent => ({
  seq,
  time: seq,
  severity: "info",
  kind: "node.started",
  message: `event ${seq}`,
});
const told = (state: LiveState, ...seqs: readonly number[]): LiveState =>
  withMessage(state, "events", { events: seqs.map(event), skipped: 0 });
const seqsOf = ({ events }: LiveState): readonly number[] => events.map(({ seq }) => seq);

it("keeps each event once, in order", () => {
  const state = told(told(told(NO_STATE, 1, 2), 2, 3), 3);
  expect(seqsOf(state)).toEqual([1, 2, 3]);
  expect(state.lastEvent).toBe(3);
});

it("begins anew where the node has another state folder, whose numbers begin anew", () => {
  const state = told(told(NO_STATE, 499, 500), 1, 2);
  expect(seqsOf(state)).toEqual([1, 2]);
  expect(seqsOf(told(state, 3))).toEqual([1, 2, 3]);
});

it("holds no more events than it shows, the newest", () => {
  const state = told(NO_STATE, ...Array.from({ length: 6000 }, (_, index) => index + 1));
  expect(state.events).toHaveLength(5000);
  expect(state.events[0]?.seq).toBe(1001);
});

const service = (name: string, state: Service["state"]): Service => ({
  name,
  engine: "embedded",
  model: "demo",
  state,
  restarts: 0,
  contextTokens: 1024,
  parallel: 1,
  since: 0,
});

it("takes changed services over in their places, new ones at the end, and drops those that are gone", () => {
  const status = {
    version: "1",
    url: "http://127.0.0.1:1",
    pid: 1,
    started: 0,
    uptime: 0,
    stopping: false,
    services: [service("a", "ready"), service("b", "loading"), service("c", "ready")],
    routes: [],
    diagnostics: [],
    traffic: {},
  };
  const whole = withMessage(NO_STATE, "status", status);
  const news = { services: [service("d", "queued"), service("b", "ready")], gone: ["c"], traffic: {} };
  const { services = [] } = withMessage(whole, "services", news).status ?? {};
  expect(services.map(({ name, state }) => `${name} ${state}`)).toEqual(["a ready", "b ready", "d queued"]);
});
