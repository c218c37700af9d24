import { join } from "node:path";

import { messageOf, OmniError, present } from "../../../core/index.ts";
import type { EventLog } from "../../../core/index.ts";
import type { Provider } from "../../../mcp/provider.ts";
import type { NodeAccess } from "../../../mcp/node/node-access.ts";
import { unavailable } from "../../../mcp/unavailable.ts";
import type { Spec } from "../../../spec/index.ts";
import { readSecretOf, resolveFrom } from "../../node-spec.ts";
import type { LocatedSpec } from "../../node-spec.ts";
import { VERSION } from "../../version.ts";

type Tool = Spec["tools"][string];
/** A value of the spec that may be a secret. */
type Value =
  | string
  | number
  | boolean
  | { readonly env?: string | undefined; readonly file?: string | undefined };

export interface ToolServersOptions {
  readonly located: LocatedSpec;
  readonly stateFolder: string;
  readonly events: EventLog;
  /** The node as tools; servers of kind `node` cannot be made without it. */
  readonly access?: NodeAccess;
}

/** Connections of one PostgreSQL source: as many queries may run at the same time. */
const POSTGRES_CONNECTIONS = 4;
/** Part of an answer that rows may take. */
const ROWS_OF_OUTPUT = 0.9;
/** Largest message of an upstream server: what the SDK's own clients take over stdio (10 MiB), and room for what is cut. */
const LARGEST_MESSAGE = 32 * 1024 * 1024;

/** Servers of a node whose owner names none: the node itself, to look at. */
const USUAL: Spec["tools"] = {
  node: {
    node: { read: true },
    enabled: true,
    approval: "destructive",
    approver: "either",
    pin: false,
    roots: false,
    timeout: 60_000,
    initTimeout: 30_000,
    maxOutput: 256 * 1024,
  },
};

/** The tool servers of a spec by name. */
export const toolsOf = (spec: Spec): Spec["tools"] =>
  Object.keys(spec.tools).length === 0 ? USUAL : spec.tools;

/**
 * The provider of one server. What is wrong with its settings (a secret that is not set, a folder that is not there) makes
 * a provider that says so, so that the others are served.
 */
export async function createToolServer(
  name: string,
  tool: Tool,
  options: ToolServersOptions,
): Promise<Provider> {
  try {
    return await make(name, tool, options);
  } catch (thrown) {
    const why =
      thrown instanceof OmniError
        ? thrown
        : new OmniError("mcp.unreachable", `tools.${name} cannot be started: ${messageOf(thrown)}`, {
            cause: thrown,
          });
    return unavailable(kindOf(tool), why);
  }
}

const kindOf = (tool: Tool): string => {
  if (tool.filesystem !== undefined) return "filesystem";
  if (tool.postgres !== undefined) return "postgres";
  if (tool.node !== undefined) return "node";
  if (tool.http !== undefined) return tool.http.transport ?? "streamable";
  return "stdio";
};

/** Whether it is somebody else's program: its own words about its tools are claims. */
export const isUpstream = (tool: Tool): boolean => tool.command !== undefined || tool.http !== undefined;

async function make(name: string, tool: Tool, options: ToolServersOptions): Promise<Provider> {
  if (tool.filesystem !== undefined) return filesystem(name, tool.filesystem, options);
  if (tool.postgres !== undefined) return postgres(name, tool.postgres, tool.maxOutput, options);
  if (tool.node !== undefined) return node(name, tool.node, options);
  return upstream(name, tool, options);
}

async function filesystem(
  name: string,
  { roots, deny, maxRead, maxWrite, versions }: NonNullable<Tool["filesystem"]>,
  { located, stateFolder }: ToolServersOptions,
): Promise<Provider> {
  const { createFilesystem } = await import("../../../mcp/filesystem/filesystem-server.ts");
  return createFilesystem({
    roots: Object.fromEntries(
      Object.entries(roots).map(([root, { path, writable }]) => [
        root,
        { path: resolveFrom(located.folder, path), writable: writable ?? false },
      ]),
    ),
    ...present({ deny }),
    maxRead: maxRead ?? MIB,
    maxWrite: maxWrite ?? MIB,
    versions: versions ?? 5,
    versionsFolder: join(stateFolder, "mcp-versions", name),
  });
}

const MIB = 1024 * 1024;

async function postgres(
  name: string,
  source: NonNullable<Tool["postgres"]>,
  maxOutput: number,
  { located }: ToolServersOptions,
): Promise<Provider> {
  const dsn = await secretOf(`tools.${name}.postgres.dsn`, source.dsn, located);
  const { createPostgres } = await import("../../../mcp/postgres/postgres-server.ts");
  return createPostgres({
    dsn,
    writable: source.writable ?? false,
    allowSuperuser: source.allowSuperuser ?? false,
    ...present({ schemas: source.schemas }),
    statementTimeout: source.statementTimeout ?? 15_000,
    lockTimeout: source.lockTimeout ?? 2000,
    idleTimeout: source.idleTimeout ?? 30_000,
    maxRows: source.maxRows ?? 1000,
    // What is around the rows has to go through the server's maxOutput with them.
    maxBytes: Math.min(source.maxBytes ?? MIB, Math.floor(maxOutput * ROWS_OF_OUTPUT)),
    connections: POSTGRES_CONNECTIONS,
  });
}

async function node(
  name: string,
  { read, chat, control }: NonNullable<Tool["node"]>,
  { access }: ToolServersOptions,
): Promise<Provider> {
  if (access === undefined) {
    throw new OmniError("mcp.unreachable", `tools.${name} is the node itself, and no node runs here.`, {
      hint: "Start it with ./omni up; ./omni mcp then leads to it.",
    });
  }
  const { createNodeServer } = await import("../../../mcp/node/node-server.ts");
  return createNodeServer({ access, read: read ?? true, chat: chat ?? false, control: control ?? false });
}

async function upstream(name: string, tool: Tool, options: ToolServersOptions): Promise<Provider> {
  const { located, events, stateFolder } = options;
  const { createUpstream } = await import("../../../mcp/upstream/upstream.ts");
  const common = {
    name,
    version: VERSION,
    events,
    initTimeout: tool.initTimeout,
    timeout: tool.timeout,
    instances: tool.instances ?? 1,
    maxMessage: LARGEST_MESSAGE,
    roots: tool.roots,
    parkTime: located.spec.gateway.mcp.approvalTimeout,
  };
  const { http, command, directory } = tool;
  if (http === undefined) {
    return createUpstream({
      ...common,
      kind: "stdio",
      command: command ?? [],
      ...(directory === undefined ? {} : { directory: resolveFrom(located.folder, directory) }),
      environment: await valuesOf(`tools.${name}.environment`, tool.environment ?? {}, located),
    });
  }
  const headers = await valuesOf(`tools.${name}.http.headers`, http.headers ?? {}, located);
  const authProvider = await authOf(name, http, located, stateFolder);
  return createUpstream({
    ...common,
    kind: "http",
    url: http.url,
    transport: http.transport ?? "streamable",
    headers,
    ...present({ authProvider }),
  });
}

async function authOf(
  name: string,
  { url, oauth }: NonNullable<Tool["http"]>,
  located: LocatedSpec,
  stateFolder: string,
) {
  if (oauth === undefined) return undefined;
  const { createUpstreamAuth, openTokenStore } = await import("../../../mcp/oauth/upstream-auth.ts");
  const clientSecret =
    oauth.clientSecret === undefined
      ? undefined
      : await secretOf(`tools.${name}.http.oauth.clientSecret`, oauth.clientSecret, located);
  return createUpstreamAuth({
    server: name,
    url,
    ...present({ clientId: oauth.clientId, clientSecret, scopes: oauth.scopes }),
    store: openTokenStore(stateFolder),
  });
}

async function valuesOf(
  path: string,
  values: Readonly<Record<string, Value>>,
  located: LocatedSpec,
): Promise<Record<string, string>> {
  const read: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) {
    read[name] =
      typeof value === "object" ? await secretOf(`${path}.${name}`, value, located) : String(value);
  }
  return read;
}

async function secretOf(
  path: string,
  from: { readonly env?: string | undefined; readonly file?: string | undefined },
  { folder }: LocatedSpec,
): Promise<string> {
  const secret = await readSecretOf(from, folder);
  if (secret !== undefined) return secret;
  const place =
    from.env === undefined ? `the file ${from.file ?? ""}` : `the environment variable ${from.env}`;
  throw new OmniError("key.unset", `${path} comes from ${place}, which is not set or empty.`, {
    hint: from.env === undefined ? `Write it into ${from.file ?? ""}.` : `export ${from.env}=…`,
  });
}
