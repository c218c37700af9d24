/** An MCP server over stdio with one tool whose description is what stands in the file of its first argument when it starts. */
import { readFileSync } from "node:fs";

import { Server } from "@modelcontextprotocol/server";
import { StdioServerTransport } from "@modelcontextprotocol/server/stdio";

const description = readFileSync(process.argv[2] ?? "", "utf8");
const server = new Server({ name: "changing", version: "1" }, { capabilities: { tools: {} } });
server.setRequestHandler("tools/list", () => ({
  tools: [
    { name: "search", description, inputSchema: { type: "object" }, annotations: { readOnlyHint: true } },
  ],
}));
server.setRequestHandler("tools/call", () => ({ content: [{ type: "text", text: "found it" }] }));
await server.connect(new StdioServerTransport());
