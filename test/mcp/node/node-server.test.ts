import { expect, it } from "vitest";
import { setTimeout as sleep } from "node:timers/promises";

import { createNodeServer } from "../../../src/mcp/node/node-server.ts";
import { ResourceWatch } from "../../../src/mcp/node/resource-watch.ts";
import { EMPTY_PLAN } from "../../fakes/empty-plan.ts";
import { contextOf, GUEST, saidBy, SmallNode } from "../../fakes/small-node.ts";

const signal = new AbortController().signal;

it("orders services as they are asked for, in the supervisor's own words, and writes down who", async () => {
  const access = new SmallNode();
  const server = createNodeServer({ access, read: false, chat: false, control: true });
  const tools = await server.tools(signal);
  expect(tools.map(({ name }) => name)).toEqual([
    "load_service",
    "unload_service",
    "restart_service",
    "drain_service",
    "resume_service",
    "step_down_service",
    "step_up_service",
  ]);
  for (const { annotations } of tools)
    expect(annotations).toMatchObject({ readOnlyHint: false, destructiveHint: true });
  const order = async (name: string, service: string, caller = contextOf()) =>
    saidBy(await server.callTool(name, { service }, caller));
  expect(await order("load_service", "flux")).toEqual({
    text: "flux: load has begun.",
    data: { service: "flux", action: "load", ok: true, message: "flux: load has begun." },
    failed: false,
  });
  expect(access.events.events).toMatchObject([
    { kind: "service.ordered", service: "flux", data: { action: "load", key: "owner", request: "req_1" } },
  ]);
  expect(await order("step_up_service", "oracle")).toMatchObject({
    failed: true,
    text: "oracle is as planned; there is no step to take back.",
  });
  const guest = await order("drain_service", "oracle", contextOf(GUEST));
  expect(guest).toMatchObject({
    failed: true,
    text: expect.stringContaining('Key "guest" may not change the node'),
  });
  expect(await order("load_service", "fluks")).toMatchObject({
    failed: true,
    text: expect.stringContaining('"flux"?'),
  });
  expect(access.orders).toEqual(["load flux", "step-up oracle"]);
});

it("has plan, health and events as resources, the events as the caller may see them", async () => {
  const access = new SmallNode();
  access.events.record({ kind: "key.created", severity: "info", message: "The key team was created." });
  const server = createNodeServer({ access, read: true, chat: false, control: false });
  expect((await server.resources(signal)).map(({ uri }) => uri)).toEqual([
    "omni://plan",
    "omni://health",
    "omni://events",
  ]);
  const read = async (uri: string, caller = contextOf()): Promise<unknown> => {
    const result = await server.readResource(uri, caller);
    const [contents] = "contents" in result && Array.isArray(result.contents) ? result.contents : [];
    return JSON.parse(String(contents?.text));
  };
  expect(await read("omni://plan")).toEqual(JSON.parse(JSON.stringify(EMPTY_PLAN)));
  expect(await read("omni://health")).toMatchObject({
    services: [{ service: "oracle" }, { service: "flux" }],
  });
  expect(await read("omni://events")).toMatchObject({ events: [{ kind: "key.created" }] });
  expect(await read("omni://events", contextOf(GUEST))).toEqual({ events: [] });
  await expect(server.readResource("omni://keys", contextOf())).rejects.toMatchObject({ code: -32_602 });
  await expect(server.watch("omni://keys")).rejects.toMatchObject({ code: -32_602 });
});

it("tells of changes only while somebody watches, and at most once in a while", async () => {
  const { events } = new SmallNode();
  const told: string[] = [];
  const watch = new ResourceWatch(events, (uri) => told.push(uri), 30);
  const happen = () =>
    events.record({ kind: "service.ready", severity: "info", service: "oracle", message: "" });
  happen();
  expect([told, events.listeners]).toEqual([[], 0]);
  watch.watch("omni://events");
  for (let n = 0; n < 50; n++) happen();
  expect([told, events.listeners]).toEqual([["omni://events"], 1]);
  await sleep(100);
  expect(told).toEqual(["omni://events", "omni://events"]);
  await sleep(100);
  watch.watch("omni://health");
  events.record({ kind: "request.retried", severity: "info", message: "" });
  expect(told.slice(2)).toEqual(["omni://events"]);
  happen();
  expect(told.slice(3)).toEqual(["omni://health"]);
  watch.unwatch("omni://events");
  watch.close();
  expect(events.listeners).toBe(0);
});

it("refuses what it has not, and everything once it is closed", async () => {
  const access = new SmallNode();
  const server = createNodeServer({ access, read: false, chat: false, control: false });
  expect(await server.offers(signal)).toMatchObject({ tools: false, resources: false, subscriptions: false });
  await expect(server.callTool("load_service", {}, contextOf())).rejects.toMatchObject({ code: -32_602 });
  await expect(server.readResource("omni://plan", contextOf())).rejects.toMatchObject({ code: -32_602 });
  const states: string[] = [];
  server.onChange(({ kind }) => states.push(kind));
  await server.close();
  await server.close();
  expect([server.view().state, states]).toEqual(["closed", ["state"]]);
  await expect(server.tools(signal)).rejects.toMatchObject({ code: "mcp.closed" });
});
