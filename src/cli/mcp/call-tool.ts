import { Client, ProtocolError, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { CallToolResult } from "@modelcontextprotocol/client";
import { z } from "zod";

import { EXIT, messageOf, OmniError } from "../../core/index.ts";
import { VERSION } from "../version.ts";
import { argument } from "./mcp-action.ts";
import type { McpAction, RunAction } from "./mcp-action.ts";
import { mcpAddress } from "./mcp-address.ts";
import { ASKS_FOR_KEY, bearer, presentedKey } from "./presented-key.ts";

const ARGUMENTS = z.record(z.string(), z.unknown());

/** Milliseconds: a call may wait for a person, and the node bounds that itself. */
const PATIENCE = 30 * 60_000;

/** `omni mcp call NAME JSON`: one call of a tool over MCP, as any client would make it. */
export const callTool: RunAction = async (action) => {
  const { invocation, terminal } = action;
  const name = argument(action, 1, "NAME");
  const args = argumentsOf(invocation.positionals[2] ?? "{}");
  const address = await mcpAddress(invocation);
  if (invocation.flag("dry-run")) {
    terminal.out(
      invocation.flag("json")
        ? JSON.stringify({ dryRun: true, address, name, arguments: args }, null, 2)
        : `Would call ${name} at ${address} with ${JSON.stringify(args)}.`,
    );
    return EXIT.done;
  }
  const result = await call(action, address, name, args);
  if (invocation.flag("json")) terminal.out(JSON.stringify(result, null, 2));
  else
    for (const text of result.content.map(textOf))
      (result.isError === true ? terminal.err : terminal.out)(text);
  return result.isError === true ? EXIT.failed : EXIT.done;
};

async function call(
  { invocation }: McpAction,
  address: string,
  name: string,
  args: Record<string, unknown>,
): Promise<CallToolResult> {
  const client = new Client({ name: "omni", version: VERSION }, { versionNegotiation: { mode: "auto" } });
  const transport = new StreamableHTTPClientTransport(new URL(address), {
    requestInit: { headers: bearer(presentedKey(invocation)) },
  });
  try {
    await client.connect(transport);
    return await client.callTool({ name, arguments: args }, { timeout: PATIENCE });
  } catch (thrown) {
    if (thrown instanceof ProtocolError)
      throw new OmniError("mcp.node-refused", `${name}: ${thrown.message}`, {
        hint: "./omni mcp tools lists what there is.",
        cause: thrown,
      });
    throw unreachable(address, thrown);
  } finally {
    await client.close().catch(() => undefined);
  }
}

function unreachable(address: string, thrown: unknown): OmniError {
  const cause = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown;
  const said = messageOf(cause);
  return new OmniError("cli.no-node", `${address} did not answer as MCP does: ${said}`, {
    cause: thrown,
    hint: said.includes("401") ? ASKS_FOR_KEY : undefined,
  });
}

function argumentsOf(text: string): Record<string, unknown> {
  try {
    return ARGUMENTS.parse(JSON.parse(text));
  } catch {
    throw new OmniError("cli.bad-argument", `${JSON.stringify(text)} is no JSON object of arguments.`, {
      hint: `For example: ./omni mcp call node__explain_service '{"service":"chat"}'`,
    });
  }
}

function textOf(part: CallToolResult["content"][number]): string {
  switch (part.type) {
    case "text":
      return part.text;
    case "image":
    case "audio":
      return `[${part.type}, ${part.mimeType}; --json holds it]`;
    case "resource_link":
      return `[resource ${part.uri}]`;
    case "resource":
      return "text" in part.resource
        ? part.resource.text
        : `[resource ${part.resource.uri}; --json holds it]`;
  }
}
