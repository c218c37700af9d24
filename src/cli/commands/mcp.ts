import type { Command } from "../command.ts";
import { MCP_OPTIONS } from "../mcp/mcp-options.ts";

export const mcp: Command = {
  name: "mcp",
  summary: "Serve MCP over stdio for a client that starts programs, and look after the node's MCP servers.",
  positionals: [
    { name: "ACTION|SPEC", required: false, completes: "file" },
    { name: "NAME", required: false, completes: "none" },
    { name: "VALUE", required: false, completes: "none" },
  ],
  options: MCP_OPTIONS,
  examples: [
    ["mcp", "serves the running node's tools over stdio; without a node, those of the spec"],
    [
      "mcp config claude-desktop",
      "what a client is told; also claude-code, vscode, cursor, lm-studio, open-webui",
    ],
    ["mcp servers", "each server, its state and why; mcp retry NAME tries one again"],
    ["mcp tools --server files", "what clients may call, and what a person has to approve"],
    ["mcp call node__node_health", "one call, as a client makes it; arguments follow as JSON"],
    ["mcp pins", "accepted definitions of tools, and what changed of those in quarantine"],
    ["mcp accept web search", "shows the difference, asks, and accepts what was shown"],
    ["mcp approvals", "calls that wait for a person; mcp approve ID or mcp deny ID decides"],
    ["mcp audit --key laptop --limit 20", "who called what, and what came of it"],
    ["mcp login github", "logs in to an upstream server with OAuth"],
  ],
  run: async (invocation, terminal) => (await import("../mcp/run-mcp.ts")).runMcp(invocation, terminal),
};
