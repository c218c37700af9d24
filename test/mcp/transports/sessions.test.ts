import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { FakeHub } from "../../fakes/mcp-hub.ts";
import { type EndpointServer, serveEndpoint } from "./endpoint-server.ts";
import { EventReader, RawClient } from "./raw-client.ts";

let hub: FakeHub;
let server: EndpointServer;

beforeEach(async () => {
  hub = new FakeHub();
  server = await serveEndpoint(hub);
});

afterEach(() => server.close());

async function opened(key = "local", revision?: string): Promise<RawClient> {
  const client = new RawClient(server.url, key, revision);
  await client.initialize();
  return client;
}

describe("whose a session is", () => {
  it("gives an id of 192 random bits", async () => {
    const [one, two] = [await opened(), await opened()];
    expect(one.session).toMatch(/^[\w-]{32}$/u);
    expect(one.session).not.toBe(two.session);
  });

  it("does not give another key's session away: the id alone opens nothing", async () => {
    const owner = await opened("owner");
    const thief = new RawClient(server.url, "thief");
    thief.session = owner.session;
    const answers = await Promise.all([thief.ask("tools/list"), thief.get(), thief.delete()]);
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
    const call = await thief.ask("tools/call", { name: "echo", arguments: {} });
    expect(call.status).toBe(404);
    expect(hub.calls).toEqual([]);
    expect((await owner.ask("tools/list")).status).toBe(200);
  });

  it("knows no unknown session, and misses one that is not named", async () => {
    const client = new RawClient(server.url);
    const missing = await client.ask("tools/list");
    expect(missing.status).toBe(400);
    expect(await missing.json()).toMatchObject({
      id: 1,
      error: { code: -32_000, message: "Bad Request: Mcp-Session-Id header is required" },
    });
    client.session = "guessed";
    const unknown = await client.ask("tools/call", { name: "echo", arguments: {} });
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ error: { code: -32_001, message: "Session not found" } });
    expect((await client.get()).status).toBe(404);
  });

  it("ends with DELETE, and is not known after", async () => {
    const client = await opened();
    expect(hub.listeners.size).toBe(1);
    expect((await client.delete()).status).toBe(200);
    expect(hub.listeners.size).toBe(0);
    expect(server.endpoint.sessions()).toBe(0);
    expect((await client.ask("ping")).status).toBe(404);
  });
});

describe("how many sessions there are", () => {
  it("ends the one that was idle longest when there is no room", async () => {
    await server.close();
    server = await serveEndpoint(hub, { sessions: 3 });
    const clients = [await opened(), await opened(), await opened()];
    await clients[0]?.ask("ping");
    await opened();
    expect(server.endpoint.sessions()).toBe(3);
    const statuses = await Promise.all(clients.map(async (client) => (await client.ask("ping")).status));
    expect(statuses).toEqual([200, 404, 200]);
    expect(server.events.events).toMatchObject([{ kind: "mcp.sessions-full", severity: "warning" }]);
    expect(server.events.events[0]?.message).toContain("3 of 3 are open");
  });

  it("does not let one key have more than half of them", async () => {
    await server.close();
    server = await serveEndpoint(hub, { sessions: 4 });
    const other = await opened("other");
    const greedy = [await opened("greedy"), await opened("greedy"), await opened("greedy")];
    expect(server.endpoint.sessions()).toBe(3);
    expect((await other.ask("ping")).status).toBe(200);
    expect((await greedy[0]?.ask("ping"))?.status).toBe(404);
  });

  it("leaves one that works alone while another is idle", async () => {
    await server.close();
    server = await serveEndpoint(hub, { sessions: 2 });
    const busy = await opened();
    const abort = new AbortController();
    const hung = new Promise<void>((resolve) => (hub.onHang = resolve));
    const call = busy.ask("tools/call", { name: "hang" }, abort.signal);
    await hung;
    const idle = await opened();
    await opened();
    expect((await idle.ask("ping")).status).toBe(404);
    expect(hub.hanging[0]?.aborted).toBe(false);
    abort.abort();
    await expect(call).rejects.toThrow("abort");
  });
});

describe("a session's streams", () => {
  it("tells of changes on the client's own stream", async () => {
    const client = await opened();
    const reader = new EventReader(await client.get());
    await reader.next();
    hub.change({ kind: "tools" });
    hub.change({ kind: "updated", uri: "fake://one" });
    hub.change({ kind: "prompts" });
    expect(await reader.message()).toEqual({ jsonrpc: "2.0", method: "notifications/tools/list_changed" });
    expect(await reader.message()).toEqual({ jsonrpc: "2.0", method: "notifications/prompts/list_changed" });
    expect((await client.get()).status).toBe(409);
    await reader.cancel();
  });

  it("tells of a resource that it watches, and stops with the session", async () => {
    const client = await opened();
    const reader = new EventReader(await client.get());
    await (await client.ask("resources/subscribe", { uri: "fake://one" })).text();
    const refused = await client.ask("resources/subscribe", { uri: "fake://two" });
    expect(await refused.json()).toMatchObject({ error: { message: "Resource not found: fake://two" } });
    hub.change({ kind: "updated", uri: "fake://one" });
    expect(await reader.message()).toMatchObject({ params: { uri: "fake://one" } });
    expect(hub.watched.get("fake://one")).toBe(1);
    await client.delete();
    expect(hub.watched.get("fake://one")).toBe(0);
    expect(await reader.message()).toBeUndefined();
  });

  it("gives a client that comes back what it missed", async () => {
    const client = await opened();
    const abort = new AbortController();
    const reader = new EventReader(await client.get({}, abort.signal));
    const primed = await reader.next();
    hub.change({ kind: "tools" });
    const seen = await reader.next();
    abort.abort();
    hub.change({ kind: "prompts" });
    const again = new EventReader(await client.get({ "last-event-id": seen?.id ?? "" }));
    expect(await again.message()).toMatchObject({ method: "notifications/prompts/list_changed" });
    const whole = new EventReader(await client.get({ "last-event-id": primed?.id ?? "" }));
    expect(await whole.message()).toMatchObject({ method: "notifications/tools/list_changed" });
    expect((await client.get({ "last-event-id": "x" })).status).toBe(400);
    expect((await client.get({ "last-event-id": "0_999" })).status).toBe(400);
    await whole.cancel();
  });

  it("gives a client that comes back the answer of a call that was under way", async () => {
    const client = await opened();
    const abort = new AbortController();
    const response = await client.post(
      {
        jsonrpc: "2.0",
        id: 50,
        method: "tools/call",
        params: { name: "progress", _meta: { progressToken: "p" } },
      },
      {},
      abort.signal,
    );
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const reader = new EventReader(response);
    await reader.next();
    const progress = await reader.next();
    abort.abort();
    const again = new EventReader(await client.get({ "last-event-id": progress?.id ?? "" }));
    const rest = [await again.message(), await again.message()];
    expect(rest).toContainEqual(expect.objectContaining({ id: 50, result: expect.anything() }));
    expect(hub.calls[0]?.context.signal.aborted).toBe(false);
  });

  it("aborts a call whose client went and could not come back for the answer", async () => {
    const client = await opened();
    const abort = new AbortController();
    const hung = new Promise<void>((resolve) => (hub.onHang = resolve));
    const call = client.ask("tools/call", { name: "hang" }, abort.signal);
    await hung;
    abort.abort();
    await expect(call).rejects.toThrow("abort");
    await expect.poll(() => hub.hanging[0]?.aborted).toBe(true);
  });

  it("ends the answer of a call that was cancelled", async () => {
    const client = await opened();
    const hung = new Promise<void>((resolve) => (hub.onHang = resolve));
    const call = client.post({ jsonrpc: "2.0", id: 9, method: "tools/call", params: { name: "hang" } });
    await hung;
    await client.post({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 9 } });
    expect(await new EventReader(await call).message()).toBeUndefined();
    expect(hub.hanging[0]?.aborted).toBe(true);
  });

  it("refuses the id of a request that still runs", async () => {
    const client = await opened();
    const abort = new AbortController();
    const hung = new Promise<void>((resolve) => (hub.onHang = resolve));
    const message = { jsonrpc: "2.0", id: 9, method: "tools/call", params: { name: "hang" } };
    const call = client.post(message, {}, abort.signal);
    await hung;
    const again = await client.post(message);
    expect(again.status).toBe(400);
    expect(await again.json()).toMatchObject({ error: { message: expect.stringContaining("still runs") } });
    abort.abort();
    await expect(call).rejects.toThrow("abort");
  });

  it("sends logs from the level on that the client set", async () => {
    const client = await opened();
    await (await client.ask("logging/setLevel", { level: "error" })).text();
    await (await client.ask("tools/call", { name: "echo", arguments: {} })).text();
    expect(hub.calls[0]?.context.logLevel).toBe("error");
  });
});

describe("batches", () => {
  const batch = [
    { jsonrpc: "2.0", id: 1, method: "ping" },
    { jsonrpc: "2.0", method: "notifications/initialized" },
    { jsonrpc: "2.0", id: 2, method: "tools/call", params: { name: "echo", arguments: { text: "b" } } },
  ];

  it("answers one of the revision that has them, in one", async () => {
    const client = await opened("local", "2025-03-26");
    const response = await client.post(batch);
    expect(await response.json()).toEqual([
      { jsonrpc: "2.0", id: 1, result: {} },
      { jsonrpc: "2.0", id: 2, result: { content: [{ type: "text", text: "b" }] } },
    ]);
  });

  it("refuses them in every other, and of more than a hundred messages", async () => {
    const client = await opened();
    const refused = await client.post(batch);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      error: { code: -32_600, message: expect.stringContaining("has no batches") },
    });
    const old = await opened("local", "2025-03-26");
    const many = Array.from({ length: 101 }, (_, id) => ({ jsonrpc: "2.0", id, method: "ping" }));
    expect((await old.post(many)).status).toBe(400);
  });
});

describe.each(["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"])("revision %s", (revision) => {
  it("is agreed on", async () => {
    const client = new RawClient(server.url, "local", revision);
    const response = await client.ask("initialize", {
      protocolVersion: revision,
      capabilities: {},
      clientInfo: { name: "c", version: "1" },
    });
    expect(await response.json()).toMatchObject({ result: { protocolVersion: revision } });
  });
});
