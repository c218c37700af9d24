import { connect, type Socket } from "node:net";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { FakeHub } from "../../fakes/mcp-hub.ts";
import { type EndpointServer, serveEndpoint } from "./endpoint-server.ts";
import { EventReader, RawClient } from "./raw-client.ts";

const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
};

let hub: FakeHub;
let server: EndpointServer;

beforeEach(async () => {
  hub = new FakeHub();
  server = await serveEndpoint(hub);
});

afterEach(() => server.close());

/** A request of the stateless era whose headers say what its body says. */
function modern(method: string, params: Record<string, unknown>, signal?: AbortSignal): Promise<Response> {
  const { name } = params;
  return fetch(server.url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": method,
      ...(typeof name === "string" ? { "mcp-name": name } : {}),
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: META } }),
    ...(signal === undefined ? {} : { signal }),
  });
}

describe("bodies that do harm", () => {
  const client = () => new RawClient(server.url);

  it.each([
    ["an empty body", "", -32_700],
    ["half of one", '{"jsonrpc":"2.0"', -32_700],
    ["no UTF-8", "\u0000", -32_700],
    ["65 levels", `${"[".repeat(65)}${"]".repeat(65)}`, -32_600],
    ["levels without an end", "[".repeat(500_000), -32_600],
    ["100 001 values", `[${"1,".repeat(100_000)}1]`, -32_600],
    ["a number", "5", -32_600],
    ["null", "null", -32_600],
  ])("refuses %s", async (_name, body, code) => {
    const response = await client().post(body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ jsonrpc: "2.0", id: null, error: { code } });
  });

  it("says how large a body may be", async () => {
    const response = await client().post(`"${"x".repeat(1_000_000)}"`);
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({
      error: { message: expect.stringContaining("1000002 bytes, the bound is 1000000") },
    });
  });

  it("takes brackets within strings for letters", async () => {
    const text = `${"[".repeat(200)}\\"${"{".repeat(200)}`;
    const response = await modern("tools/call", { name: "echo", arguments: { text } });
    expect(await response.json()).toMatchObject({ result: { content: [{ text }] } });
  });

  it("takes only POST, GET and DELETE, and of the stateless era only POST", async () => {
    const put = await fetch(server.url, { method: "PUT" });
    expect([put.status, put.headers.get("allow")]).toEqual([405, "GET, POST, DELETE"]);
    const get = await fetch(server.url, { headers: { "mcp-protocol-version": "2026-07-28" } });
    expect([get.status, get.headers.get("allow")]).toEqual([405, "POST"]);
    const page = await fetch(server.url, { headers: { accept: "text/html" } });
    expect(page.status).toBe(406);
  });

  it("carries the door's headers on every answer", async () => {
    const bad = await client().post("{");
    const good = await modern("tools/call", { name: "echo", arguments: {} });
    expect([bad, good].map(({ headers }) => headers.get("x-request-id"))).toEqual(["req-1", "req-2"]);
  });
});

describe("headers and bodies that disagree", () => {
  it("refuses a parameter that its header names otherwise, and one without its header", async () => {
    const ask = (region: string | undefined): Promise<Response> =>
      fetch(server.url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "mcp-protocol-version": "2026-07-28",
          "mcp-method": "tools/call",
          "mcp-name": "routed",
          ...(region === undefined ? {} : { "mcp-param-region": region }),
        },
        body: JSON.stringify({
          jsonrpc: "2.0",
          id: 4,
          method: "tools/call",
          params: { name: "routed", arguments: { region: "eu" }, _meta: META },
        }),
      });
    const answers = await Promise.all([ask("us"), ask(undefined), ask("=?base64?!?=")]);
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400]);
    expect(await answers[0]?.json()).toMatchObject({ id: 4, error: { code: -32_020 } });
    expect(hub.calls).toEqual([]);
    expect((await ask("eu")).status).toBe(200);
    expect((await ask(`=?base64?${Buffer.from("eu").toString("base64")}?=`)).status).toBe(200);
  });
});

describe("clients that go or do not read", () => {
  it("aborts a call of the stateless era when its client goes", async () => {
    const abort = new AbortController();
    const hung = new Promise<void>((resolve) => (hub.onHang = resolve));
    const call = modern("tools/call", { name: "hang", arguments: {} }, abort.signal);
    await hung;
    abort.abort();
    await expect(call).rejects.toThrow("abort");
    await expect.poll(() => hub.hanging[0]?.aborted).toBe(true);
    expect(server.lines).toEqual([]);
  });

  it("lets a client go that does not read its stream", async () => {
    const client = new RawClient(server.url);
    await client.initialize();
    const socket = await rawGet(client.session);
    await expect.poll(() => hub.listeners.size).toBe(1);
    socket.pause();
    const uri = `fake://one?${"x".repeat(100_000)}`;
    await (await client.ask("resources/subscribe", { uri })).text();
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => undefined);
    for (let told = 0; told < 400 && hub.listeners.size > 0 && !socket.destroyed; told += 1) {
      hub.change({ kind: "updated", uri });
      if (told % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    socket.resume();
    await closed;
    expect((await client.ask("ping")).status).toBe(200);
  });

  it("survives requests that break off in the middle", async () => {
    const head =
      "POST /mcp HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n";
    const sockets = await Promise.all(Array.from({ length: 20 }, () => dial()));
    for (const socket of sockets) {
      socket.write(`${head}{"jsonrpc":`);
      socket.resetAndDestroy();
    }
    expect((await modern("tools/call", { name: "echo", arguments: { text: "on" } })).status).toBe(200);
  });
});

describe("listening to changes in the stateless era", () => {
  it("acknowledges what can be told, tells it, and stops with the client", async () => {
    const abort = new AbortController();
    const notifications = {
      toolsListChanged: true,
      resourceSubscriptions: ["fake://one", "fake://two"],
    };
    const response = await modern("subscriptions/listen", { notifications }, abort.signal);
    const reader = new EventReader(response);
    expect(await reader.message()).toMatchObject({
      method: "notifications/subscriptions/acknowledged",
      params: { notifications: { toolsListChanged: true, resourceSubscriptions: ["fake://one"] } },
    });
    hub.change({ kind: "prompts" });
    hub.change({ kind: "tools" });
    hub.change({ kind: "updated", uri: "fake://one" });
    expect(await reader.message()).toMatchObject({
      method: "notifications/tools/list_changed",
      params: { _meta: { "io.modelcontextprotocol/subscriptionId": 1 } },
    });
    expect(await reader.message()).toMatchObject({ params: { uri: "fake://one" } });
    expect([hub.listeners.size, hub.watched.get("fake://one")]).toEqual([1, 1]);
    abort.abort();
    await expect.poll(() => [hub.listeners.size, hub.watched.get("fake://one")]).toEqual([0, 0]);
  });

  it("ends a stream with its result when the endpoint ends", async () => {
    const response = await modern("subscriptions/listen", { notifications: { toolsListChanged: true } });
    const reader = new EventReader(response);
    await reader.message();
    await server.endpoint.close();
    expect(await reader.message()).toMatchObject({ id: 1, result: { resultType: "complete" } });
    expect(await reader.message()).toBeUndefined();
    expect(hub.listeners.size).toBe(0);
    expect((await modern("tools/list", {})).status).toBe(503);
  });
});

describe("caches", () => {
  it("are told that what one key gets is for that key alone", async () => {
    const lists = await (await modern("tools/list", {})).json();
    expect(lists).toMatchObject({ result: { cacheScope: "private", ttlMs: 10_000 } });
    const read = await fetch(server.url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "resources/read",
        "mcp-name": "fake://one",
      },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "resources/read",
        params: { uri: "fake://one", _meta: META },
      }),
    });
    // The server behind says that everyone may keep it.
    expect(await read.json()).toMatchObject({ result: { cacheScope: "private", ttlMs: 5 } });
  });
});

describe("HTTP+SSE by hand", () => {
  it("names the address to post to, answers down the stream, and ends with it", async () => {
    const abort = new AbortController();
    const base = new URL("/", server.url);
    const reader = new EventReader(await fetch(new URL("/sse", base), { signal: abort.signal }));
    const first = await reader.next();
    expect(first?.event).toBe("endpoint");
    expect(first?.data).toMatch(/^\/messages\?sessionId=[\w-]{32}$/u);
    const address = new URL(first?.data ?? "", base);
    const post = (body: object, key = "local"): Promise<Response> =>
      fetch(address, {
        method: "POST",
        headers: { "content-type": "application/json", "x-key": key },
        body: JSON.stringify({ jsonrpc: "2.0", ...body }),
      });
    expect((await post({ id: 1, method: "ping" }, "thief")).status).toBe(404);
    expect((await post({ id: 1, method: "ping" })).status).toBe(202);
    expect(await reader.message()).toEqual({ jsonrpc: "2.0", id: 1, result: {} });
    expect((await fetch(new URL("/messages", base), { method: "POST" })).status).toBe(400);
    expect(server.endpoint.sessions()).toBe(1);
    abort.abort();
    await expect.poll(() => server.endpoint.sessions()).toBe(0);
    expect((await post({ id: 2, method: "ping" })).status).toBe(404);
  });

  it("is not there when it is switched off", async () => {
    await server.close();
    server = await serveEndpoint(hub, { legacySse: false });
    expect((await fetch(new URL("/sse", server.url))).status).toBe(404);
    expect((await fetch(new URL("/messages?sessionId=x", server.url), { method: "POST" })).status).toBe(404);
  });
});

function dial(): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(server.port, "127.0.0.1", () => resolve(socket));
  });
}

async function rawGet(session: string): Promise<Socket> {
  const socket = await dial();
  socket.write(
    `GET /mcp HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\nmcp-session-id: ${session}\r\n\r\n`,
  );
  await new Promise((resolve) => socket.once("data", resolve));
  return socket;
}
