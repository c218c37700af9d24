import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

import { startNode } from "./run-node.ts";
import type { RunningNode } from "./run-node.ts";

/** Both eras of the protocol, as the SDK's client is told them. */
export type Era = "legacy" | "auto";

export interface McpClientOptions {
  readonly key?: string;
  readonly era?: Era;
  /** What the person at the client says when asked; nobody can be asked when absent. */
  readonly says?: (question: string) => boolean;
}

/** A client of a node's MCP; `close` it. */
export async function mcpClient(
  node: Pick<RunningNode, "url">,
  { key, era = "auto", says }: McpClientOptions = {},
): Promise<Client> {
  const client = new Client(
    { name: "test", version: "1" },
    {
      versionNegotiation: { mode: era },
      capabilities: says === undefined ? {} : { elicitation: { form: {} } },
    },
  );
  if (says !== undefined) {
    client.setRequestHandler("elicitation/create", ({ params }) =>
      says(params.message) ? { action: "accept", content: { approve: true } } : { action: "decline" },
    );
  }
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${node.url}/mcp`), {
      requestInit: { headers: key === undefined ? {} : { authorization: `Bearer ${key}` } },
    }),
  );
  return client;
}

/** Writes a spec of the demo model, further ones, and what a test adds. */
export const writeMcpSpec = (folder: string, more: string, models = ""): void =>
  writeFileSync(join(folder, "omni.yaml"), `omni: 1\nmodels: { demo: builtin:omni-demo${models} }\n${more}`);

/** Starts a node on such a spec; the folder holds it, and the state. */
export async function startMcpNode(folder: string, more: string, models?: string): Promise<RunningNode> {
  writeMcpSpec(folder, more, models);
  return startNode([join(folder, "omni.yaml")], join(folder, "state"));
}

/** The texts of a tool's answer. */
export const textOf = ({ content }: Awaited<ReturnType<Client["callTool"]>>): string =>
  content.map((part) => (part.type === "text" ? part.text : `[${part.type}]`)).join("\n");
