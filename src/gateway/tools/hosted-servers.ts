import { z } from "zod";

import type { JsonObject } from "../../dialects/dialect.ts";
import { asList, asObject } from "../../engines/json-object.ts";
import { nearest } from "../../core/index.ts";
import type { Caller } from "../../keys/caller.ts";
import type { Ask } from "../ask.ts";
import type { WireError } from "../wire-error.ts";
import { badRequest } from "../wire-error.ts";
import type { ToolHost } from "./tool-host.ts";
import { mayUseServer } from "../../keys/tool-scope.ts";

const NAMES = z.array(z.string().max(200)).max(1000);
const FILTER = z.strictObject({ tool_names: NAMES.optional() });

const SERVER = z.object({
  type: z.literal("mcp"),
  server_label: z.string().min(1).max(100),
  allowed_tools: z.union([NAMES, FILTER]).nullish(),
  require_approval: z
    .union([
      z.enum(["always", "never"]),
      z.strictObject({ always: FILTER.optional(), never: FILTER.optional() }),
    ])
    .nullish(),
});

/** A registered tool server as a request asks for it. */
export interface HostedServer {
  readonly label: string;
  /** Tools by their own names; all when absent. */
  readonly allowed?: readonly string[];
  /** Whether the request wants to be asked before a tool of it is called. What the server itself demands holds in any case. */
  wantsApproval(tool: string): boolean;
}

const MOST_SERVERS = 32;
/** What would reach a server that the owner of this node did not register. */
const FOREIGN = ["server_url", "connector_id", "tunnel_id", "headers", "authorization"] as const;

/** False for a request that surely wants none; what is left has to be parsed. */
export const mayWantHostedTools = ({ spans, bytes }: Pick<Ask, "spans" | "bytes">): boolean => {
  const tools = spans.get("tools");
  return tools !== undefined && bytes.subarray(tools.start, tools.end).includes('"mcp"');
};

/** Whether a request wants tools run on the server's side. */
export const wantsHostedTools = (body: JsonObject): boolean =>
  asList(body["tools"])?.some((tool) => asObject(tool)?.["type"] === "mcp") ?? false;

/** The tool servers that a request names, each of which the caller may use; or why not. */
export function hostedServers(
  body: JsonObject,
  caller: Caller,
  host: ToolHost | undefined,
): readonly HostedServer[] | WireError {
  const servers: HostedServer[] = [];
  const usable = host?.servers(caller).filter((label) => mayUseServer(caller, label)) ?? [];
  for (const [index, tool] of (asList(body["tools"]) ?? []).entries()) {
    const sent = asObject(tool);
    if (sent?.["type"] !== "mcp") continue;
    const param = `tools[${index}]`;
    if (host === undefined) return unavailable(param);
    const server = readServer(sent, param);
    if ("status" in server) return server;
    if (!usable.includes(server.label)) return notAllowed(server.label, usable, caller, param);
    if (servers.some(({ label }) => label === server.label)) {
      return badRequest("invalid_tools", `${param} names "${server.label}" a second time.`, param);
    }
    if (servers.length === MOST_SERVERS) {
      return badRequest("invalid_tools", `At most ${MOST_SERVERS} tool servers are taken.`, param);
    }
    servers.push(server);
  }
  return servers;
}

function readServer(sent: JsonObject, param: string): HostedServer | WireError {
  const foreign = FOREIGN.find((name) => sent[name] !== undefined && sent[name] !== null);
  if (foreign !== undefined) {
    const message = `${param}.${foreign} is not supported: only servers that this node's owner registered are used, by server_label.`;
    return badRequest("unsupported_parameter", message, `${param}.${foreign}`);
  }
  const read = SERVER.safeParse(sent);
  if (!read.success) {
    const issue = read.error.issues[0];
    const at = [param, ...(issue?.path ?? []).map(String)].join(".");
    return badRequest("invalid_tools", `${at}: ${issue?.message ?? "is malformed"}.`, at);
  }
  const { server_label: label, allowed_tools: sentAllowed, require_approval: approval } = read.data;
  const allowed = Array.isArray(sentAllowed) ? sentAllowed : sentAllowed?.tool_names;
  return {
    label,
    ...(allowed === undefined ? {} : { allowed }),
    wantsApproval: (tool: string) => {
      if (approval === undefined || approval === null || approval === "never") return false;
      if (approval === "always") return true;
      const { always, never } = approval;
      if (always?.tool_names?.includes(tool) === true) return true;
      // With a list of those that need none, all others need one; an empty filter names no tool.
      return never !== undefined && never.tool_names?.includes(tool) !== true;
    },
  };
}

const unavailable = (param: string): WireError =>
  badRequest(
    "tools_unavailable",
    `${param} asks for tools on the server's side, and this node has no tool servers. Run the tools yourself as functions.`,
    param,
  );

function notAllowed(label: string, usable: readonly string[], caller: Caller, param: string): WireError {
  const meant = nearest(label, usable);
  const guess = meant === undefined ? "" : ` Did you mean "${meant}"?`;
  const list =
    usable.length === 0 ? "It may use none." : `It may use: ${usable.slice(0, MOST_SERVERS).join(", ")}.`;
  return {
    status: 403,
    type: "permission_error",
    code: "tool_server_not_allowed",
    param: `${param}.server_label`,
    message: `Key "${caller.key}" may not use a tool server "${label}", or there is none.${guess} ${list}`,
  };
}
