import { messageOf } from "../../../core/index.ts";
import type { Call } from "../../../gateway/call.ts";
import type { Asker, Hub } from "../../../mcp/index.ts";
import type { Answer } from "../../contract/index.ts";
import { functionName } from "../../../keys/tool-names.ts";

/** Milliseconds that a list may wait for servers. */
const PATIENCE = 10_000;

type ToolList = Answer<"GET /api/mcp/tools">;
type ListedTool = ToolList["tools"][number];

/** The tools of all servers, or of `?server=`; those that could not be asked stand in `failed`, each with why. */
export async function listAllTools(hub: Hub, { caller, query, res }: Call): Promise<ToolList> {
  if (caller === undefined) return { tools: [], failed: [] };
  const asker: Asker = { caller, channel: "http" };
  const wanted = query.get("server");
  const gone = new AbortController();
  const timer = setTimeout(() => gone.abort(new Error(`no answer within ${PATIENCE / 1000} s`)), PATIENCE);
  const leave = (): void => gone.abort(new Error("the client is gone"));
  res.once("close", leave);
  try {
    const servers = wanted === null ? hub.serversOf(asker) : [wanted];
    const shown = new Set((await hub.tools(asker, gone.signal)).map(({ name }) => name));
    const nameOf = (server: string, tool: string): string => {
      const name = functionName(server, tool);
      // A node with one server may do without prefixes.
      return !shown.has(name) && shown.has(tool) ? tool : name;
    };
    const lists = await Promise.all(
      servers.map((server) => listOne(hub, server, asker, gone.signal, nameOf)),
    );
    return {
      tools: lists.flatMap((list) => ("tools" in list ? list.tools : [])),
      failed: lists.flatMap((list) => ("tools" in list ? [] : list)),
    };
  } finally {
    clearTimeout(timer);
    res.off("close", leave);
  }
}

async function listOne(
  hub: Hub,
  server: string,
  asker: Asker,
  signal: AbortSignal,
  nameOf: (server: string, tool: string) => string,
): Promise<
  { readonly tools: readonly ListedTool[] } | { readonly server: string; readonly message: string }
> {
  try {
    const offered = await hub.toolsOf(server, asker, signal);
    const tools = offered.map(({ tool, needsApproval }) => ({
      server,
      tool: tool.name,
      name: nameOf(server, tool.name),
      ...(tool.description === undefined ? {} : { description: tool.description }),
      readOnly: tool.annotations?.readOnlyHint === true,
      destructive: tool.annotations?.readOnlyHint !== true && tool.annotations?.destructiveHint !== false,
      needsApproval,
      quarantined: false,
    }));
    const names = new Set(tools.map(({ tool }) => tool));
    return { tools: [...tools, ...setAside(hub, server, nameOf).filter(({ tool }) => !names.has(tool))] };
  } catch (thrown) {
    return { server, message: messageOf(thrown) };
  }
}

const setAside = (
  hub: Hub,
  server: string,
  nameOf: (server: string, tool: string) => string,
): readonly ListedTool[] =>
  hub
    .pins()
    .filter((pin) => pin.server === server && pin.offered !== undefined)
    .map(({ tool }) => ({
      server,
      tool,
      name: nameOf(server, tool),
      readOnly: false,
      destructive: true,
      needsApproval: true,
      quarantined: true,
    }));
