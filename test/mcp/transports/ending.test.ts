import { expect, it } from "vitest";

import { FakeHub } from "../../fakes/mcp-hub.ts";
import { serveEndpoint } from "./endpoint-server.ts";
import { EventReader, RawClient } from "./raw-client.ts";

const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
};
const HEADERS = { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call" };

/** A call of the era with sessions, or of the one without. */
function call(client: RawClient, era: "legacy" | "modern", name: string): Promise<Response> {
  const params = { name, arguments: {} };
  return era === "legacy"
    ? client.ask("tools/call", params)
    : client.post(
        { jsonrpc: "2.0", id: 1, method: "tools/call", params: { ...params, _meta: META } },
        { ...HEADERS, "mcp-name": name },
      );
}

it.each(["legacy", "modern"] as const)(
  "an endpoint that ends lets a call (%s) finish, and takes nothing new",
  async (era) => {
    const hub = new FakeHub();
    const server = await serveEndpoint(hub);
    const client = new RawClient(server.url);
    if (era === "legacy") await client.initialize();
    const gate = Promise.withResolvers<void>();
    hub.gate = gate.promise;
    const running = call(client, era, "gated");
    await expect.poll(() => hub.calls.length).toBe(1);

    const ended = server.endpoint.close(20_000);
    expect((await call(client, era, "echo")).status).toBe(503);
    gate.resolve();
    const answer = await running;
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain("opened");
    await ended;
    expect([server.endpoint.sessions(), hub.listeners.size]).toEqual([0, 0]);
    await server.close();
  },
);

it("a call over the old HTTP+SSE transport finishes too", async () => {
  const hub = new FakeHub();
  const server = await serveEndpoint(hub);
  const stream = await fetch(new URL("/sse", server.url), { headers: { accept: "text/event-stream" } });
  const reader = new EventReader(stream);
  const told = await reader.next();
  const client = new RawClient(new URL(told?.data ?? "", server.url), "local", "2024-11-05");
  await client.initialize();
  expect(await reader.message()).toMatchObject({ result: { protocolVersion: "2024-11-05" } });
  const gate = Promise.withResolvers<void>();
  hub.gate = gate.promise;
  expect((await call(client, "legacy", "gated")).status).toBe(202);
  await expect.poll(() => hub.calls.length).toBe(1);
  const ended = server.endpoint.close(20_000);
  gate.resolve();
  expect(await reader.message()).toMatchObject({ result: { content: [{ text: "opened" }] } });
  await ended;
  expect(await reader.message()).toBeUndefined();
  await server.close();
});

it("a stream that only waits does not hold up the end", async () => {
  const hub = new FakeHub();
  const server = await serveEndpoint(hub);
  const client = new RawClient(server.url);
  await client.initialize();
  const stream = await client.get();
  await server.endpoint.close(60_000);
  expect(await stream.text()).not.toContain("error");
  await server.close();
});

it("a second call to end with less time aborts what the first let run", async () => {
  const hub = new FakeHub();
  const server = await serveEndpoint(hub);
  const client = new RawClient(server.url);
  await client.initialize();
  const running = call(client, "legacy", "hang").catch(() => undefined);
  await expect.poll(() => hub.hanging.length).toBe(1);
  const ended = server.endpoint.close(60_000);
  await server.endpoint.close(0);
  await ended;
  expect(hub.hanging[0]?.aborted).toBe(true);
  await running;
  await server.close();
});
