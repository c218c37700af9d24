import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { CallToolResult } from "@modelcontextprotocol/client";
import { fetch } from "undici";
import { messageOf, OmniError } from "../core/index.ts";
import type { AcceptanceClient } from "./client.ts";

/** Milliseconds of one call. */
const PATIENCE = 60_000;

/** One call that reads and changes nothing. */
export interface ToolCheck {
  /** MCP server in the spec. */
  readonly server: string;
  /** Name without the server's. */
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

export interface ToolOutcome extends ToolCheck {
  /** The beginning of what it answered, or why it was not. */
  readonly text: string;
  readonly answered: boolean;
}

/**
 * Lists the tools at the node's MCP endpoint with the official client and calls those named. Throws OmniError
 * `acceptance.no-server` where the endpoint does not speak MCP; a call that fails is told in its outcome.
 */
export async function toolCalls(
  client: AcceptanceClient,
  path: string,
  checks: readonly ToolCheck[],
  signal: AbortSignal,
): Promise<{ readonly tools: number; readonly outcomes: readonly ToolOutcome[] }> {
  const address = new URL(path, client.origin);
  const mcp = new Client({ name: "omni-acceptance", version: "1" }, { versionNegotiation: { mode: "auto" } });
  const transport = new StreamableHTTPClientTransport(address, {
    requestInit: { headers: { ...client.headers } },
    fetch: fetchThrough(client),
  });
  try {
    await mcp.connect(transport, { signal });
    const { tools } = await mcp.listTools(undefined, { signal });
    const names = new Set(tools.map(({ name }) => name));
    const outcomes: ToolOutcome[] = [];
    for (const check of checks) outcomes.push(await called(mcp, names, check, signal));
    return { tools: tools.length, outcomes };
  } catch (thrown) {
    signal.throwIfAborted();
    throw new OmniError(
      "acceptance.no-server",
      `${address.href} did not answer as MCP does: ${messageOf(thrown)}`,
      {
        cause: thrown,
      },
    );
  } finally {
    await mcp.close().catch(() => undefined);
  }
}

async function called(
  mcp: Client,
  names: ReadonlySet<string>,
  check: ToolCheck,
  signal: AbortSignal,
): Promise<ToolOutcome> {
  // A node with one server may leave its name out.
  const name = [`${check.server}__${check.tool}`, check.tool].find((one) => names.has(one));
  if (name === undefined)
    return { ...check, answered: false, text: `there is no such tool among ${names.size}` };
  try {
    const result = await mcp.callTool(
      { name, arguments: { ...check.arguments } },
      { signal, timeout: PATIENCE },
    );
    return { ...check, answered: result.isError !== true, text: firstText(result) };
  } catch (thrown) {
    signal.throwIfAborted();
    return { ...check, answered: false, text: messageOf(thrown) };
  }
}

function firstText({ content }: CallToolResult): string {
  const [first] = content;
  const text = first?.type === "text" ? first.text : `${content.length} parts`;
  return text.replaceAll(/\s+/g, " ").slice(0, 160);
}

/** The library's requests over the client's own connections, whose certificate is known. */
const fetchThrough =
  ({ dispatcher }: AcceptanceClient): typeof globalThis.fetch =>
  (input, init) =>
    // Both are undici's, of two releases: the types differ in names alone.
    Reflect.apply(fetch, undefined, [input, { ...init, dispatcher }]);
