import { z } from "zod";

import { MIB, OmniError } from "../../core/index.ts";
import type { Code } from "../../core/index.ts";
import { parseJson } from "../../engines/json-object.ts";
import { answering } from "../../gateway/answering.ts";
import type { Call } from "../../gateway/call.ts";
import { sendJson } from "../../gateway/call.ts";
import { refuseUnread } from "../../gateway/lingering-close.ts";
import { tooLarge } from "../../gateway/proxy-endpoint.ts";
import type { Endpoint } from "../../gateway/surface.ts";
import type { WireError } from "../../gateway/wire-error.ts";
import { badRequest, sendError } from "../../gateway/wire-error.ts";
import type { Hub } from "../../mcp/index.ts";
import { readAuditQuery } from "./audit-query.ts";
import { listAllTools } from "./listed-tools.ts";

/** Decisions are small. */
const BODY = MIB;

const ACCEPTED = z.strictObject({
  server: z.string().min(1),
  tool: z.string().min(1),
  /** Of the definition that the person was shown. */
  hash: z.string().regex(/^[0-9a-f]{64}$/, "is 64 hexadecimal digits"),
});
const DECIDED = z.strictObject({ approve: z.boolean() });

/**
 * `/api/mcp`: servers, tools, pins, waiting calls and the audit, for keys that may change the node. The hub is asked for with
 * each call: it is opened late, and another spec brings another one.
 */
export function mcpEndpoints(hub: () => Promise<Hub>): Readonly<Record<string, Endpoint>> {
  const get = (tell: (hub: Hub, call: Call) => unknown): Endpoint => ({
    admin: true,
    GET: (call) => void serve(hub, call, async (open) => sendJson(call, 200, await tell(open, call))),
  });
  return {
    "/api/mcp/servers": get((open) => ({ servers: open.servers() })),
    "/api/mcp/servers/*": { admin: true, POST: (call, rest) => retryServer(hub, call, rest) },
    "/api/mcp/tools": get(listAllTools),
    "/api/mcp/pins": get((open) => ({ pins: open.pins() })),
    "/api/mcp/pins/accept": { admin: true, POST: (call) => acceptPin(hub, call) },
    "/api/mcp/approvals": get((open) => ({ approvals: open.approvals() })),
    "/api/mcp/approvals/*": { admin: true, POST: (call, id) => decide(hub, call, id) },
    "/api/mcp/audit": {
      admin: true,
      GET: (call) => {
        const query = readAuditQuery(call.query);
        if ("status" in query) sendError(call, query);
        else void serve(hub, call, async (open) => sendJson(call, 200, { audit: open.audit(query) }));
      },
    },
  };
}

/** Who decides, as the records name them. */
const personOf = ({ caller }: Call): string =>
  caller?.subject === undefined ? (caller?.key ?? "unknown") : `${caller.key} (${caller.subject})`;

function acceptPin(hub: () => Promise<Hub>, call: Call): void {
  withBody(call, ACCEPTED, ({ server, tool, hash }) =>
    serve(hub, call, async (open) => {
      open.acceptPin(server, tool, hash, personOf(call));
      sendJson(call, 200, { server, tool, hash, message: `${tool} of ${server} is offered again.` });
    }),
  );
}

function decide(hub: () => Promise<Hub>, call: Call, id: string): void {
  withBody(call, DECIDED, ({ approve }) =>
    serve(hub, call, async (open) => {
      const waiting = open.approvals().find((pending) => pending.id === id);
      open.decide(id, approve, personOf(call));
      const what = waiting === undefined ? id : `${waiting.tool} of ${waiting.server}`;
      const message = approve
        ? `${what} goes on as it was asked.`
        : `${what} is refused; who asked is told so.`;
      sendJson(call, 200, { id, approved: approve, message });
    }),
  );
}

function retryServer(hub: () => Promise<Hub>, call: Call, rest: string): void {
  const [encoded = "", action, ...more] = rest.split("/");
  const name = decoded(encoded);
  if (action !== "retry" || more.length > 0 || name === undefined) {
    const message = "It is POST /api/mcp/servers/NAME/retry that tries a server again.";
    sendError(call, { status: 404, type: "invalid_request_error", code: "unknown_action", message });
    return;
  }
  void serve(hub, call, async (open) => {
    open.retry(name);
    sendJson(call, 202, { server: name, message: `${name} is tried again now.` });
  });
}

function withBody<T>(call: Call, shape: z.ZodType<T>, then: (body: T) => Promise<void>): void {
  call.body.read(
    BODY,
    (bytes) => {
      const sent = shape.safeParse(parseJson(bytes.toString()));
      if (sent.success) {
        void then(sent.data);
        return;
      }
      const [issue] = sent.error.issues;
      const param = issue?.path.map(String).join(".") ?? "";
      const what = param === "" ? "The body" : param;
      sendError(call, badRequest("invalid_body", `${what}: ${issue?.message ?? "is malformed"}.`, param));
    },
    () => refuseUnread(call, tooLarge(BODY), BODY),
  );
}

/** What the hub refuses is told with its code, what to do included. */
function serve(hub: () => Promise<Hub>, call: Call, act: (hub: Hub) => Promise<void>): Promise<void> {
  return answering(
    call,
    hub()
      .then(act)
      .catch((thrown: unknown) => {
        if (!(thrown instanceof OmniError)) throw thrown;
        sendError(call, refusalOf(thrown));
      }),
  );
}

const STATUS: Partial<Record<Code, number>> = {
  "mcp.unknown-server": 404,
  "mcp.unknown-pin": 404,
  "mcp.unknown-approval": 404,
  "mcp.pin-moved": 409,
  "mcp.closed": 503,
};

const refusalOf = ({ code, message, hint }: OmniError): WireError => {
  const status = STATUS[code] ?? 502;
  return {
    status,
    type: status < 500 ? "invalid_request_error" : "server_error",
    code: code.replaceAll(/[.-]/g, "_"),
    message: `${message} ${hint}`,
  };
};

function decoded(text: string): string | undefined {
  try {
    const name = decodeURIComponent(text);
    return name === "" ? undefined : name;
  } catch {
    return undefined;
  }
}
