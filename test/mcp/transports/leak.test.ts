import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { describe, expect, it } from "vitest";

import { createMcpEndpoint, type McpEndpoint } from "../../../src/mcp/transports/mcp-endpoint.ts";
import { FakeHub } from "../../fakes/mcp-hub.ts";
import { EventList, serveEndpoint } from "./endpoint-server.ts";
import { MemoryOutlet } from "./memory-outlet.ts";
import { openKey } from "./open-key.ts";
import { RawClient } from "./raw-client.ts";

setFlagsFromString("--expose-gc");
const collect: unknown = runInNewContext("gc");

/** Bytes of the heap that are in use after a collection. */
function heap(): number {
  if (typeof collect === "function") collect();
  return process.memoryUsage().heapUsed;
}

const HEADERS = { "content-type": "application/json", accept: "application/json, text/event-stream" };

/** Asks an endpoint without a socket between. */
function ask(endpoint: McpEndpoint, body: object, session?: string): Promise<MemoryOutlet> {
  return new Promise((resolve) => {
    const out: MemoryOutlet = new MemoryOutlet(() => resolve(out));
    endpoint.handle({
      method: "POST",
      headers: session === undefined ? HEADERS : { ...HEADERS, "mcp-session-id": session },
      path: "/mcp",
      query: new URLSearchParams(),
      caller: openKey("local"),
      id: "r",
      answerHeaders: [],
      body: Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...body })),
      out,
    });
  });
}

/** Opens sessions that watch, listen and call, and leaves them alone. */
async function abandon(endpoint: McpEndpoint, count: number): Promise<void> {
  for (let done = 0; done < count; done += 1) {
    const params = {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "c", version: "1" },
    };
    const session = (await ask(endpoint, { id: 0, method: "initialize", params })).header("mcp-session-id");
    await ask(endpoint, { method: "notifications/initialized" }, session);
    await ask(endpoint, { id: 1, method: "resources/subscribe", params: { uri: "fake://one" } }, session);
    await ask(endpoint, { id: 2, method: "tools/call", params: { name: "echo" } }, session);
    // One that never comes to an end.
    void ask(endpoint, { id: 3, method: "tools/call", params: { name: "hang" } }, session);
  }
}

describe("2 000 sessions that were opened and abandoned", () => {
  it("leave no session, listener, watch, running call or memory", async () => {
    const hub = new FakeHub();
    const endpoint = createMcpEndpoint({
      hub,
      version: "1",
      sessions: 50,
      sessionIdle: 60_000,
      bodyLimit: 100_000,
      legacySse: false,
      path: "/mcp",
      events: new EventList(),
    });
    await abandon(endpoint, 200);
    const before = heap();
    await abandon(endpoint, 2000);
    expect(endpoint.sessions()).toBe(50);
    expect([hub.listeners.size, hub.watched.get("fake://one")]).toEqual([50, 50]);
    expect(hub.hanging.filter(({ aborted }) => !aborted)).toHaveLength(50);
    hub.hanging.length = 0;
    hub.calls.length = 0;
    // Less than a kilobyte for each.
    expect(heap() - before).toBeLessThan(2_000_000);
    await endpoint.close();
    expect([endpoint.sessions(), hub.listeners.size, hub.watched.get("fake://one")]).toEqual([0, 0, 0]);
  }, 60_000);
});

describe("sessions over sockets", () => {
  it("end with their clients' connections and the endpoint", async () => {
    const hub = new FakeHub();
    const server = await serveEndpoint(hub);
    const clients = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const client = new RawClient(server.url);
        await client.initialize();
        const stream = await client.get();
        return { client, stream };
      }),
    );
    expect([hub.listeners.size, server.endpoint.sessions()]).toEqual([40, 40]);
    for (const { stream } of clients) await stream.body?.cancel();
    await server.endpoint.close();
    expect([hub.listeners.size, server.endpoint.sessions()]).toEqual([0, 0]);
    server.http.closeIdleConnections();
    await expect
      .poll(() => new Promise((resolve) => server.http.getConnections((_, count) => resolve(count))))
      .toBe(0);
    await server.close();
  });
});
