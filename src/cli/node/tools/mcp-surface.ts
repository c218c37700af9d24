import { messageOf } from "../../../core/index.ts";
import type { Call } from "../../../gateway/call.ts";
import type { Endpoint } from "../../../gateway/surface.ts";
import type { Caller } from "../../../keys/index.ts";
import type { McpEndpoint, McpRequest } from "../../../mcp/transports/mcp-endpoint.ts";

/** How requests of MCP are let in that show no key of the node: an access token, where the owner named an issuer. */
export interface TokenDoor {
  /** The caller, or `undefined` when it has answered the call itself. */
  admit(call: Call): Promise<Caller | undefined>;
  /** The paths where a client learns where tokens come from. */
  readonly endpoints: Readonly<Record<string, Endpoint>>;
}

export interface McpSurfaceOptions {
  /** Path of Streamable HTTP, `/mcp`. */
  readonly path: string;
  readonly legacySse: boolean;
  /** Bytes. */
  readonly bodyLimit: number;
  readonly tokens?: TokenDoor;
  /** The endpoint, made with the first request. Rejects with why it cannot be. */
  readonly endpoint: () => Promise<McpEndpoint>;
}

/** Headers of an answer that a page of another origin has to see to speak MCP. */
const EXPOSED = ["access-control-expose-headers", "mcp-session-id, mcp-protocol-version, www-authenticate"];

/** The paths of MCP: Streamable HTTP, and the older HTTP+SSE where the owner wants it. */
export function mcpSurface(options: McpSurfaceOptions): Readonly<Record<string, Endpoint>> {
  const { path, legacySse, tokens } = options;
  const beyond = tokens === undefined ? {} : { beyondKeys: true };
  const whole = (serve: Serve) => (call: Call) => serveWhole(options, call, serve);
  const bare = (serve: Serve) => (call: Call) => void admitted(options, call, Buffer.alloc(0), serve);
  return {
    [path]: { ...beyond, whole: whole(handle), GET: bare(handle), DELETE: bare(handle) },
    ...(legacySse
      ? {
          "/sse": { ...beyond, GET: bare((endpoint, request) => endpoint.sse(request)) } satisfies Endpoint,
          "/messages": {
            ...beyond,
            whole: whole((endpoint, request) => endpoint.sseMessage(request)),
          } satisfies Endpoint,
        }
      : {}),
    ...tokens?.endpoints,
  };
}

type Serve = (endpoint: McpEndpoint, request: McpRequest) => void;

const handle: Serve = (endpoint, request) => endpoint.handle(request);

function serveWhole(options: McpSurfaceOptions, call: Call, serve: Serve): void {
  const { bodyLimit } = options;
  call.body.read(
    bodyLimit,
    (body) => void admitted(options, call, body, serve),
    () => tooLarge(call, bodyLimit),
  );
}

async function admitted(
  { tokens, endpoint }: McpSurfaceOptions,
  call: Call,
  body: Buffer,
  serve: Serve,
): Promise<void> {
  try {
    const caller = call.caller ?? (await tokens?.admit(call));
    if (caller === undefined) return;
    call.note.key = caller.key;
    const made = await endpoint();
    if (!call.res.destroyed) serve(made, requestOf(call, caller, body));
  } catch (thrown) {
    if (call.res.headersSent) call.res.destroy();
    else refuse(call, 503, -32_603, `The tool gateway cannot be opened: ${messageOf(thrown)}`);
  }
}

const requestOf = (call: Call, caller: Caller, body: Buffer): McpRequest => ({
  method: call.req.method ?? "GET",
  headers: call.req.headers,
  path: call.path,
  query: call.query,
  caller,
  id: call.id,
  answerHeaders: call.headers.includes("access-control-allow-origin")
    ? [...call.headers, ...EXPOSED]
    : call.headers,
  body: call.req.method === "POST" ? body : undefined,
  out: call.res,
});

/** An error before anything of MCP was read, in its own words. */
function refuse(call: Call, status: number, code: number, message: string): void {
  call.note.error = "mcp_unavailable";
  const body = errorBody(code, message);
  call.res.writeHead(status, [...headOf(body), ...call.headers]);
  call.res.end(body);
}

/** Tells it before the body is there, and reads what still comes, so that the client sees the answer. */
export function tooLarge(call: Call, limit: number): void {
  call.note.error = "request_too_large";
  const body = errorBody(-32_600, `The body is larger than the ${limit} bytes that this node takes.`);
  call.res.writeHead(413, [...headOf(body), "connection", "close", ...call.headers]);
  call.res.write(body);
  call.body.discard(limit, () => call.res.end());
}

const errorBody = (code: number, message: string): Buffer =>
  Buffer.from(JSON.stringify({ jsonrpc: "2.0", error: { code, message }, id: null }));

const headOf = (body: Buffer): string[] => [
  "content-type",
  "application/json",
  "content-length",
  String(body.length),
];
