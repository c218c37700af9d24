import { z } from "zod";

import { formatDuration } from "../../core/index.ts";
import { table } from "../terminal.ts";
import { argument, tell } from "./mcp-action.ts";
import type { RunAction } from "./mcp-action.ts";

const SERVER = z.looseObject({
  name: z.string(),
  enabled: z.boolean(),
  state: z.string(),
  transport: z.string(),
  reason: z.string().optional(),
  since: z.number(),
  restarts: z.number(),
  connections: z.number(),
  tools: z.number(),
  quarantined: z.number(),
});
const SERVERS = z.object({ servers: z.array(SERVER) });

/** `omni mcp servers`: each server, how it is, and why. */
export const showServers: RunAction = async (action) => {
  const { terminal, api } = action;
  const { servers } = await api.get("servers", SERVERS);
  return tell(action, { servers }, () => {
    if (servers.length === 0) return "The node has no MCP servers; tools: of its omni.yaml names them.";
    const { style } = terminal;
    const head = ["SERVER", "STATE", "FOR", "KIND", "TOOLS", "QUARANTINED", "RESTARTS", "CONNECTIONS"];
    const rows = servers.map((server) => [
      style("bold", server.name),
      server.enabled ? stateText(server.state, style) : style("dim", "off"),
      formatDuration(Math.max(0, Date.now() - server.since)),
      server.transport,
      String(server.tools),
      server.quarantined === 0 ? "0" : style("yellow", String(server.quarantined)),
      String(server.restarts),
      String(server.connections),
    ]);
    const why = servers.flatMap(({ name, reason }) => (reason === undefined ? [] : `${name}: ${reason}`));
    return [table([head.map((cell) => style("dim", cell)), ...rows]), ...why].join("\n");
  });
};

type Style = Parameters<RunAction>[0]["terminal"]["style"];

const stateText = (state: string, style: Style): string =>
  style(state === "ready" ? "green" : state === "failed" ? "red" : "yellow", state);

const RETRIED = z.object({ server: z.string(), message: z.string() });

/** `omni mcp retry SERVER`: a failed server is tried again now. */
export const retryServer: RunAction = async (action) => {
  const { invocation, api } = action;
  const server = argument(action, 1, "SERVER");
  if (invocation.flag("dry-run")) {
    const { servers } = await api.get("servers", SERVERS);
    const known = servers.find(({ name }) => name === server);
    const found = known === undefined ? `The node has no MCP server ${server}.` : `It is ${known.state}.`;
    return tell(
      action,
      { dryRun: true, server, state: known?.state ?? null },
      () => `Would try ${server} again. ${found}`,
    );
  }
  const answer = await api.post(`servers/${encodeURIComponent(server)}/retry`, {}, RETRIED);
  return tell(action, answer, () => answer.message);
};
