import { existsSync } from "node:fs";

import type { Invocation } from "../command.ts";
import { locateSpec } from "../node-spec.ts";
import { nodeUrl } from "../node-client.ts";

const USUAL_PATH = "/mcp";

/**
 * The address of the node's MCP endpoint: `--url` with a path is that address itself; a node is asked at the path that the
 * spec of this folder names, `/mcp` without one. Throws `OmniError` `cli.no-node`.
 */
export async function mcpAddress(invocation: Invocation, spec?: string): Promise<string> {
  const base = nodeUrl(invocation);
  const { pathname } = new URL(base);
  if (pathname !== "/" && pathname !== "") return base;
  return `${new URL(base).origin}${await pathOf(spec)}`;
}

async function pathOf(spec: string | undefined): Promise<string> {
  if (spec === undefined && !existsSync("omni.yaml")) return USUAL_PATH;
  // A spec that is wrong is the node's business; here it only may say where to ask.
  const located = await locateSpec(spec, undefined).catch(() => undefined);
  return located?.spec.gateway.mcp.path ?? USUAL_PATH;
}
