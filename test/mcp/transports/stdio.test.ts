import { PassThrough } from "node:stream";

import { afterEach, describe, expect, it, vi } from "vitest";

import { FakeHub } from "../../fakes/mcp-hub.ts";
import { type McpStdio, serveMcpStdio } from "../../../src/mcp/transports/serve-stdio.ts";
import { openKey } from "./open-key.ts";

interface Message {
  readonly id?: number | null;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string };
}

/** A client that writes lines and reads lines. */
class LineClient {
  readonly input = new PassThrough();
  readonly output = new PassThrough();
  readonly hub = new FakeHub();
  readonly messages: Message[] = [];
  readonly served: McpStdio;
  #text = "";

  constructor(maxMessage = 100_000) {
    this.output.on("data", (chunk: Buffer) => {
      const lines = (this.#text + chunk.toString()).split("\n");
      this.#text = lines.pop() ?? "";
      for (const line of lines) {
        const message: Message = JSON.parse(line);
        this.messages.push(message);
      }
    });
    this.served = serveMcpStdio({
      hub: this.hub,
      asker: { caller: openKey("desk"), channel: "stdio" },
      version: "1.2.3",
      input: this.input,
      output: this.output,
      maxMessage,
    });
  }

  send(message: object): void {
    this.input.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  }

  async answer(id: number | null): Promise<Message> {
    return vi.waitFor(() => {
      const found = this.messages.find((message) => message.id === id);
      if (found === undefined) throw new Error(`no answer to ${id}`);
      return found;
    });
  }

  async initialize(): Promise<void> {
    this.send({
      id: 0,
      method: "initialize",
      params: {
        protocolVersion: "2025-06-18",
        capabilities: {},
        clientInfo: { name: "t", version: "0" },
      },
    });
    await this.answer(0);
    this.send({ method: "notifications/initialized" });
  }
}

const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
};

let client: LineClient;

afterEach(async () => {
  await client.served.close();
  const watched = [...client.hub.watched.values()].filter((count) => count !== 0);
  if (client.hub.listeners.size + watched.length > 0) throw new Error("it still listens to the hub");
});

describe("MCP over stdio", () => {
  it("serves a client that initializes", async () => {
    client = new LineClient();
    await client.initialize();
    expect(client.messages[0]?.result).toMatchObject({
      protocolVersion: "2025-06-18",
      instructions: "You are desk.",
    });
    client.send({ id: 1, method: "tools/call", params: { name: "echo", arguments: { text: "a" } } });
    expect((await client.answer(1)).result).toEqual({ content: [{ type: "text", text: "a" }] });
    expect(client.hub.calls[0]?.asker).toMatchObject({ channel: "stdio", caller: { key: "desk" } });
    client.hub.change({ kind: "tools" });
    await expect.poll(() => client.messages.at(-1)?.method).toBe("notifications/tools/list_changed");
  });

  it("serves a client of the stateless era, and tells it of the resources that it listens to", async () => {
    client = new LineClient();
    client.send({
      id: 1,
      method: "tools/call",
      params: { name: "echo", arguments: { text: "a" }, _meta: META },
    });
    expect((await client.answer(1)).result).toMatchObject({ resultType: "complete" });
    client.send({
      id: 2,
      method: "subscriptions/listen",
      params: { notifications: { resourceSubscriptions: ["fake://one"] }, _meta: META },
    });
    await expect.poll(() => client.hub.watched.get("fake://one")).toBe(1);
    client.hub.change({ kind: "updated", uri: "fake://one" });
    client.hub.change({ kind: "tools" });
    await expect.poll(() => client.messages.at(-1)?.method).toBe("notifications/resources/updated");
    client.send({ method: "notifications/cancelled", params: { requestId: 2, _meta: META } });
    await expect.poll(() => client.hub.watched.get("fake://one")).toBe(0);
  });

  it("answers what was asked before the input ended, and aborts what takes longer", async () => {
    client = new LineClient();
    await client.initialize();
    const hung = new Promise<void>((resolve) => (client.hub.onHang = resolve));
    client.send({ id: 1, method: "tools/call", params: { name: "hang" } });
    client.send({ id: 2, method: "tools/list" });
    client.input.end();
    await hung;
    await client.served.done;
    expect((await client.answer(2)).result).toHaveProperty("tools");
    expect(client.hub.hanging[0]?.aborted).toBe(true);
    expect(client.messages.some(({ id }) => id === 1)).toBe(false);
  });

  it("makes a failure of a result that is too large for the client", async () => {
    client = new LineClient(5000);
    await client.initialize();
    client.send({ id: 1, method: "tools/call", params: { name: "big", arguments: { bytes: 6000 } } });
    const { result } = await client.answer(1);
    expect(result).toMatchObject({ isError: true });
    expect(JSON.stringify(result)).toContain("more than the 5000 that this connection takes");
  });

  it("refuses a message that is too large, and goes on", async () => {
    client = new LineClient(5000);
    await client.initialize();
    client.input.write(`{"x":"${"y".repeat(20_000)}`);
    client.input.write('"}\n');
    expect((await client.answer(null)).error?.message).toContain("the bound is 5000");
    client.input.write("stray words\n\n");
    client.send({ id: 3, method: "ping" });
    expect((await client.answer(3)).result).toEqual({});
  });

  it("ends when nobody reads any more", async () => {
    client = new LineClient();
    await client.initialize();
    client.output.destroy(new Error("EPIPE"));
    await client.served.done;
    expect(client.hub.listeners.size).toBe(0);
  });
});
