/**
 * The MCP server behind the gateway in `bench/mcp.ts`: `node bench/mcp-upstream.ts hand|sdk TOOLS` has so many tools, each
 * of which echoes its argument, and prints its port. By hand it is JSON-RPC over plain `node:http`, so that it takes as
 * little of the machine as it can; of the SDK it is what most people run.
 */
import { createServer } from "node:http";
import { Server, createMcpHandler } from "@modelcontextprotocol/server";
import { z } from "zod";
import { sendResponse, webRequest } from "../test/mcp/fixture/web-exchange.ts";

const [kind = "hand", count = "1"] = process.argv.slice(2);

const tools = Array.from({ length: Number(count) }, (_, at) => ({
  name: `tool_${at}`,
  description: `Echoes a text, number ${at} of ${count}`,
  inputSchema: {
    type: "object" as const,
    properties: { text: { type: "string", description: "What comes back" } },
    required: ["text"],
  },
}));
const names = new Set(tools.map((tool) => tool.name));
const INFO = { name: "bench-upstream", version: "1.0.0" };
const echo = (text: unknown) => ({ content: [{ type: "text" as const, text: String(text) }] });

const requestSchema = z.object({
  id: z.union([z.string(), z.number()]).optional(),
  method: z.string(),
  params: z
    .object({
      name: z.string().optional(),
      arguments: z.record(z.string(), z.unknown()).optional(),
      protocolVersion: z.string().optional(),
    })
    .optional(),
});

/** The result of a request; `undefined` when there is no such method. */
function answer({ method, params }: z.infer<typeof requestSchema>): object | undefined {
  const hint = { ttlMs: 60_000, cacheScope: "public", resultType: "complete" };
  if (method === "tools/call" && names.has(params?.name ?? "")) {
    return { ...echo(params?.arguments?.["text"]), resultType: "complete" };
  }
  if (method === "tools/list") return { tools, ...hint };
  if (method === "ping") return {};
  if (method === "initialize") {
    return { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo: INFO };
  }
  if (method !== "server/discover") return undefined;
  const _meta = { "io.modelcontextprotocol/serverInfo": INFO };
  return { supportedVersions: ["2026-07-28"], capabilities: { tools: {} }, _meta, ...hint };
}

const byHand = createServer((req, res) => {
  if (req.method !== "POST") {
    res.writeHead(req.method === "DELETE" ? 200 : 405).end();
    return;
  }
  const chunks: Buffer[] = [];
  req.on("data", (chunk: Buffer) => chunks.push(chunk));
  req.on("end", () => {
    const request = requestSchema.parse(JSON.parse(Buffer.concat(chunks).toString()));
    if (request.id === undefined) {
      res.writeHead(202).end();
      return;
    }
    const result = answer(request);
    const { id } = request;
    const body = JSON.stringify(
      result === undefined
        ? { jsonrpc: "2.0", id, error: { code: -32_601, message: "Method not found" } }
        : { jsonrpc: "2.0", id, result },
    );
    const session = request.method === "initialize" ? { "mcp-session-id": crypto.randomUUID() } : {};
    res.writeHead(result === undefined ? 404 : 200, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      ...session,
    });
    res.end(body);
  });
});

const ofSdk = createMcpHandler(() => {
  const server = new Server(INFO, { capabilities: { tools: {} } });
  server.setRequestHandler("tools/list", () => ({ tools }));
  server.setRequestHandler("tools/call", ({ params }) => echo(params.arguments?.["text"]));
  return server;
});

const http =
  kind === "hand"
    ? byHand
    : createServer((incoming, outgoing) => {
        const exchange = async () =>
          await sendResponse(await ofSdk.fetch(await webRequest(incoming, outgoing)), outgoing);
        exchange().catch(() => outgoing.destroy());
      });
http.keepAliveTimeout = 60_000;
http.listen(0, "127.0.0.1", () => {
  const address = http.address();
  process.send?.(typeof address === "object" ? (address?.port ?? 0) : 0);
});
process.once("disconnect", () => process.exit());
