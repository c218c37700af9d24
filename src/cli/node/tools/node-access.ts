import type { EventLog } from "../../../core/index.ts";
import type { AskInside } from "../../../gateway/inside-call.ts";
import { knownNames } from "../../../gateway/targets.ts";
import type { NodeAccess } from "../../../mcp/node/node-access.ts";
import type { Measurements, Requests } from "../../../store/index.ts";
import type { Supervisor } from "../../../supervisor/index.ts";

const CHAT = "/v1/chat/completions";

export interface NodeAccessParts {
  readonly supervisor: Supervisor;
  readonly events: EventLog;
  readonly hardware: () => unknown;
  readonly measurements: Pick<Measurements, "all">;
  readonly requests: Pick<Requests, "latest">;
  /** The gateway's own; asked when it is needed. */
  readonly ask: () => AskInside;
}

/** The node as its own tools see and order it. */
export const nodeAccess = ({
  supervisor,
  events,
  hardware,
  measurements,
  requests,
  ask,
}: NodeAccessParts): NodeAccess => ({
  services: () => supervisor.services(),
  routes: () => supervisor.routes(),
  modelsOf: (caller) => knownNames(supervisor, caller),
  plan: () => supervisor.plan(),
  diagnostics: () => supervisor.diagnostics(),
  hardware,
  events,
  measurements: () => measurements.all(),
  requests,
  // A request from inside runs no tools on this side: what its model calls goes back to who asked.
  ask: async ({ body, caller, request, signal }) => ask()({ path: CHAT, body, caller, id: request, signal }),
  order: (service, action) => supervisor.control(service, action),
});
