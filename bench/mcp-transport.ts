import { FakeHub } from "../test/fakes/mcp-hub.ts";
import { createMcpEndpoint } from "../src/mcp/transports/mcp-endpoint.ts";
import { MemoryOutlet } from "../test/mcp/transports/memory-outlet.ts";

/**
 * CPU of the gateway's side of one `tools/call` over HTTP, without sockets: parse, check, dispatch, answer, with a hub that answers
 * at once. `node bench/mcp-transport.ts`; prints microseconds of CPU for each call.
 */
const CALLERS = 16;
const CALLS = 8000;
const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": { elicitation: { form: {} }, sampling: {} },
  "io.modelcontextprotocol/clientInfo": { name: "bench", version: "1.0.0" },
};
const caller = { key: "local", admin: false, upstream: false, priority: 5 };

async function measure(era: "modern" | "legacy", tools: number): Promise<string> {
  const endpoint = createMcpEndpoint({
    hub: new FakeHub(tools),
    version: "0",
    sessions: 100,
    sessionIdle: 60_000,
    bodyLimit: 1_000_000,
    legacySse: false,
    path: "/mcp",
    events: {
      record: (event) => ({ ...event, seq: 1, time: 0 }),
      after: () => [],
      latest: () => [],
      subscribe: () => () => undefined,
    },
  });
  const ask = (body: object, headers: Record<string, string>): Promise<{ out: MemoryOutlet; text: string }> =>
    new Promise((resolve) => {
      const out: MemoryOutlet = new MemoryOutlet((text) => resolve({ out, text }));
      endpoint.handle({
        method: "POST",
        headers: {
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
          ...headers,
        },
        path: "/mcp",
        query: new URLSearchParams(),
        caller,
        id: "r",
        answerHeaders: ["x-request-id", "r"],
        body: Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...body })),
        out,
      });
    });
  let id = 0;
  let session = "";
  if (era === "legacy") {
    const opened = await ask(
      {
        id: 0,
        method: "initialize",
        params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "b", version: "1" } },
      },
      {},
    );
    session = opened.out.header("mcp-session-id");
    await ask({ method: "notifications/initialized" }, { "mcp-session-id": session });
  }
  const call = () => {
    id += 1;
    const params = { name: "echo", arguments: { text: `value ${id}` } };
    return era === "modern"
      ? ask(
          { id, method: "tools/call", params: { ...params, _meta: META } },
          { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "echo" },
        )
      : ask(
          { id, method: "tools/call", params },
          { "mcp-protocol-version": "2025-11-25", "mcp-session-id": session },
        );
  };
  const run = async (calls: number): Promise<void> => {
    const one = async (): Promise<void> => {
      for (let done = 0; done < calls / CALLERS; done += 1) {
        const { out, text } = await call();
        if (out.status !== 200 || !text.includes("value")) throw new Error(`${out.status}: ${text}`);
      }
    };
    await Promise.all(Array.from({ length: CALLERS }, one));
  };
  await run(2000);
  const before = process.cpuUsage();
  await run(CALLS);
  const { user, system } = process.cpuUsage(before);
  await endpoint.close();
  return `${era}, ${tools} tools: ${((user + system) / CALLS).toFixed(0)} us`;
}

for (const era of ["modern", "legacy"] as const) {
  for (const tools of [1, 100]) process.stdout.write(`${await measure(era, tools)}\n`);
}
