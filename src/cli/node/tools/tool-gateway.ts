import { messageOf } from "../../../core/index.ts";
import type { Endpoint } from "../../../gateway/surface.ts";
import type { ToolHost } from "../../../gateway/tools/tool-host.ts";
import type { Caller } from "../../../keys/index.ts";
import { mayUseServer } from "../../../keys/tool-scope.ts";
import type { LocatedSpec } from "../../node-spec.ts";
import { mcpEndpoints } from "../../../api/endpoints/index.ts";
import { mcpSurface } from "./mcp-surface.ts";
import type { TokenDoor } from "./mcp-surface.ts";
import type { OpenTools } from "./open-tools.ts";
import { toolsOf } from "./tool-servers.ts";
import type { ToolServersOptions } from "./tool-servers.ts";

export interface ToolGatewayOptions extends ToolServersOptions {
  /** Bytes of a request at most. */
  readonly bodyLimit: number;
  readonly tokens?: TokenDoor;
}

/** What a node has of MCP: its paths, and its tools for requests of models. */
export interface ToolGateway {
  /** Paths of MCP for clients; none where it is switched off. */
  readonly endpoints: Readonly<Record<string, Endpoint>>;
  /** Paths of `/api/mcp`. */
  readonly admin: Readonly<Record<string, Endpoint>>;
  readonly host: ToolHost;
  /** Names of the servers that the spec offers now. */
  servers(): readonly string[];
  /** Opens it now rather than with the first request, and tells what cannot be used. Never rejects. */
  warm(): Promise<void>;
  /** Takes over the servers and policies of another spec. */
  reload(located: LocatedSpec): void;
  /**
   * Ends streams that wait, lets running calls finish for at most `deadline` ms, then ends every server. A second call with
   * less hurries the first.
   */
  close(deadline: number): Promise<void>;
}

/** The tool gateway of a node. Nothing of MCP is loaded before the first request, or `warm`. */
export function openToolGateway(options: ToolGatewayOptions): ToolGateway {
  const { events, tokens, bodyLimit } = options;
  let { located } = options;
  let current: Promise<OpenTools> | undefined;
  let closed = false;
  const open = (): Promise<OpenTools> => {
    if (closed) return Promise.reject(new Error("the node stops"));
    current ??= load({ ...options, located }).catch((thrown: unknown) => {
      // The next request tries again.
      current = undefined;
      throw thrown;
    });
    return current;
  };
  const failed = (thrown: unknown): void =>
    void events.record({
      kind: "mcp.failed",
      severity: "warning",
      message: `The tool gateway is not as the spec wants it: ${messageOf(thrown)}`,
    });
  const names = (): readonly string[] =>
    Object.entries(toolsOf(located.spec))
      .filter(([, { enabled }]) => enabled)
      .map(([name]) => name);
  const { mcp } = located.spec.gateway;
  const endpoint = async () => (await open()).endpoint;
  const surface = { path: mcp.path, legacySse: mcp.legacySse, bodyLimit, endpoint };
  return {
    endpoints: mcp.enabled ? mcpSurface(tokens === undefined ? surface : { ...surface, tokens }) : {},
    admin: mcpEndpoints(async () => (await open()).hub),
    host: {
      servers: (caller: Caller) => names().filter((name) => mayUseServer(caller, name)),
      list: async (server, caller, signal) => (await open()).host.list(server, caller, signal),
      call: async (server, tool, args, context) => (await open()).host.call(server, tool, args, context),
    },
    servers: names,
    async warm() {
      if (Object.keys(located.spec.tools).length > 0) await open().then((tools) => tools.look(), failed);
    },
    reload(next) {
      located = next;
      if (current !== undefined) takeOver(current, next).catch(failed);
    },
    async close(deadline) {
      closed = true;
      const tools = await current?.catch(() => undefined);
      await tools?.close(deadline);
    },
  };
}

const takeOver = async (current: Promise<OpenTools>, next: LocatedSpec): Promise<void> =>
  (await current).update(next);

async function load(options: ToolServersOptions): Promise<OpenTools> {
  const { OpenTools: Tools } = await import("./open-tools.ts");
  return Tools.open(options);
}
