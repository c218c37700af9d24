import { Client, SSEClientTransport, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { FakeHub } from "../../fakes/mcp-hub.ts";
import { type EndpointServer, serveEndpoint } from "./endpoint-server.ts";

let hub: FakeHub;
let server: EndpointServer;
const clients: Client[] = [];

beforeEach(async () => {
  hub = new FakeHub();
  server = await serveEndpoint(hub);
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await server.close();
});

type Way = "modern" | "legacy" | "sse";

async function connect(way: Way): Promise<Client> {
  const client = new Client(
    { name: "test", version: "0" },
    {
      capabilities: { elicitation: { form: {} }, roots: {} },
      versionNegotiation: { mode: way === "modern" ? { pin: "2026-07-28" } : "legacy" },
    },
  );
  client.setRequestHandler("elicitation/create", () => ({ action: "accept", content: { name: "Ada" } }));
  clients.push(client);
  const transport =
    way === "sse"
      ? new SSEClientTransport(new URL("/sse", server.url))
      : new StreamableHTTPClientTransport(server.url);
  await client.connect(transport);
  return client;
}

describe.each(["modern", "legacy", "sse"] as const)("the SDK's client, %s", (way) => {
  it("lists, calls, reads, prompts and completes", async () => {
    const client = await connect(way);
    expect(client.getServerVersion()).toMatchObject({ name: "omni", version: "1.2.3" });
    expect(client.getInstructions()).toBe("You are local.");
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain("echo");
    expect((await client.listResources()).resources).toEqual([{ uri: "fake://one", name: "one" }]);
    expect((await client.listResourceTemplates()).resourceTemplates).toHaveLength(1);
    expect((await client.listPrompts()).prompts).toHaveLength(1);
    const called = await client.callTool({ name: "echo", arguments: { text: "hé" } });
    expect(called.content).toEqual([{ type: "text", text: "hé" }]);
    expect((await client.readResource({ uri: "fake://one" })).contents).toEqual([
      { uri: "fake://one", text: "one" },
    ]);
    const prompt = await client.getPrompt({ name: "greet", arguments: { who: "Bo" } });
    expect(prompt.messages[0]?.content).toEqual({ type: "text", text: "Hello Bo" });
    const completed = await client.complete({
      ref: { type: "ref/prompt", name: "greet" },
      argument: { name: "who", value: "a" },
    });
    expect(completed.completion.values).toEqual(["a", "b"]);
  });

  it("says who asks, by which way, and what the client can be asked", async () => {
    const client = await connect(way);
    await client.callTool({ name: "echo", arguments: { text: "x" }, _meta: { traceparent: "00-a-b-01" } });
    const [seen] = hub.calls;
    expect(seen?.asker).toMatchObject({ caller: { key: "local" }, channel: way === "sse" ? "sse" : "http" });
    expect(seen?.context.capabilities).toEqual({ elicitation: { form: {} }, roots: {} });
    expect(seen?.context.meta).toEqual({ traceparent: "00-a-b-01" });
    expect(seen?.context.request).toMatch(/^req-\d+$/u);
    expect(seen?.context.onProgress).toBeUndefined();
  });

  it("brings progress before the answer", async () => {
    const client = await connect(way);
    const progress: number[] = [];
    await client.callTool(
      { name: "progress", arguments: {} },
      { onprogress: (told) => void progress.push(told.progress) },
    );
    expect(progress).toEqual([1]);
  });

  it("asks the client what a tool wants to know, and calls it again with the answer", async () => {
    const client = await connect(way);
    const result = await client.callTool({ name: "ask", arguments: {} });
    expect(result.content).toEqual([
      { type: "text", text: '{"action":"accept","content":{"name":"Ada"}} state-1' },
    ]);
  });

  it("tells errors of the protocol as they are, and those of tools as results", async () => {
    const client = await connect(way);
    await expect(client.callTool({ name: "none", arguments: {} })).rejects.toMatchObject({
      code: -32_602,
      message: expect.stringContaining("Unknown tool: none"),
    });
    expect(await client.callTool({ name: "fail", arguments: {} })).toMatchObject({ isError: true });
  });

  it("aborts the call when the client cancels it", async () => {
    const client = await connect(way);
    const abort = new AbortController();
    const hung = new Promise<void>((resolve) => (hub.onHang = resolve));
    const call = client.callTool({ name: "hang", arguments: {} }, { signal: abort.signal });
    await hung;
    abort.abort(new Error("enough"));
    await expect(call).rejects.toThrow(/enough|abort/iu);
    await expect.poll(() => hub.hanging[0]?.aborted).toBe(true);
  });
});
