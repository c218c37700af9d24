import type { Call } from "../../../gateway/call.ts";
import type { Endpoint } from "../../../gateway/surface.ts";
import type { Hub } from "../../../mcp/index.ts";
import { OPERATIONS } from "../../contract/index.ts";
import type { Answer, OperationName } from "../../contract/index.ts";
import { refusing } from "../refusing.ts";
import { segmentsOf } from "../segments.ts";
import { sendAnswer, sendMissing } from "../send-answer.ts";
import { withBody } from "../with-body.ts";
import { withQuery } from "../with-query.ts";
import { listAllTools } from "./listed-tools.ts";

/** Entries of the audit where no limit is given. */
const AUDIT_ENTRIES = 100;

/**
 * `/api/mcp`: servers, tools, pins, waiting calls and the audit, for keys that may change the node. The hub is asked for with
 * each call: it is opened late, and another spec brings another one.
 */
export function mcpEndpoints(hub: () => Promise<Hub>): Readonly<Record<string, Endpoint>> {
  const get = <Name extends OperationName>(
    name: Name,
    tell: (hub: Hub, call: Call) => Answer<Name> | Promise<Answer<Name>>,
  ): Endpoint => ({
    admin: true,
    GET: (call) => void refusing(call, async () => sendAnswer(call, name, await tell(await hub(), call))),
  });
  return {
    "/api/mcp/servers": get("GET /api/mcp/servers", (open) => ({ servers: open.servers() })),
    "/api/mcp/servers/*": { admin: true, POST: (call, rest) => retryServer(hub, call, rest) },
    "/api/mcp/tools": get("GET /api/mcp/tools", listAllTools),
    "/api/mcp/pins": get("GET /api/mcp/pins", (open) => ({ pins: open.pins() })),
    "/api/mcp/pins/accept": { admin: true, POST: (call) => acceptPin(hub, call) },
    "/api/mcp/approvals": get("GET /api/mcp/approvals", (open) => ({ approvals: open.approvals() })),
    "/api/mcp/approvals/*": { admin: true, POST: (call, id) => decide(hub, call, id) },
    "/api/mcp/audit": { admin: true, GET: (call) => showAudit(hub, call) },
  };
}

/** Who decides, as the records name them. */
const personOf = ({ caller }: Call): string =>
  caller?.subject === undefined ? (caller?.key ?? "unknown") : `${caller.key} (${caller.subject})`;

function showAudit(hub: () => Promise<Hub>, call: Call): void {
  withQuery(call, OPERATIONS["GET /api/mcp/audit"].query, (query) => {
    const wanted = { ...query, limit: query.limit ?? AUDIT_ENTRIES };
    void refusing(call, async () =>
      sendAnswer(call, "GET /api/mcp/audit", { audit: (await hub()).audit(wanted) }),
    );
  });
}

function acceptPin(hub: () => Promise<Hub>, call: Call): void {
  withBody(call, OPERATIONS["POST /api/mcp/pins/accept"].body, ({ server, tool, hash }) =>
    refusing(call, async () => {
      (await hub()).acceptPin(server, tool, hash, personOf(call));
      const message = `${tool} of ${server} is offered again.`;
      sendAnswer(call, "POST /api/mcp/pins/accept", { server, tool, hash, message });
    }),
  );
}

function decide(hub: () => Promise<Hub>, call: Call, id: string): void {
  withBody(call, OPERATIONS["POST /api/mcp/approvals/{id}"].body, ({ approve }) =>
    refusing(call, async () => {
      const open = await hub();
      const waiting = open.approvals().find((pending) => pending.id === id);
      open.decide(id, approve, personOf(call));
      const what = waiting === undefined ? id : `${waiting.tool} of ${waiting.server}`;
      const message = approve
        ? `${what} goes on as it was asked.`
        : `${what} is refused; who asked is told so.`;
      sendAnswer(call, "POST /api/mcp/approvals/{id}", { id, approved: approve, message });
    }),
  );
}

function retryServer(hub: () => Promise<Hub>, call: Call, rest: string): void {
  const [name, action, ...more] = segmentsOf(rest) ?? [];
  if (name === undefined || action !== "retry" || more.length > 0) {
    sendMissing(call, "unknown_action", "It is POST /api/mcp/servers/NAME/retry that tries a server again.");
    return;
  }
  void refusing(call, async () => {
    (await hub()).retry(name);
    const message = `${name} is tried again now.`;
    sendAnswer(call, "POST /api/mcp/servers/{name}/retry", { server: name, message });
  });
}
