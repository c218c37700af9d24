import { nearest } from "../core/index.ts";
import type { EventLog } from "../core/index.ts";
import type { Backends } from "../supervisor/backends.ts";
import { SERVICE_ACTIONS } from "../supervisor/service-control.ts";
import type { ServiceAction, ServiceControl } from "../supervisor/service-control.ts";
import type { Call } from "./call.ts";
import { sendJson } from "./call.ts";
import { sendError } from "./wire-error.ts";

const isAction = (text: string): text is ServiceAction => SERVICE_ACTIONS.some((action) => action === text);

/** `POST /api/services/NAME/ACTION`: orders of an operator, answered at once; 409 where the state forbids it. */
export function orderService(
  backends: Backends,
  control: ServiceControl,
  events: EventLog,
  call: Call,
  rest: string,
): void {
  const slash = rest.lastIndexOf("/");
  const [name, action] = [decoded(rest.slice(0, slash)), rest.slice(slash + 1)];
  const names = backends.services().map((service) => service.name);
  if (slash < 1 || !names.includes(name)) {
    const meant = nearest(name, names);
    const guess = meant === undefined ? "" : ` Did you mean "${meant}"?`;
    notFound(call, "service_not_found", `This node has no service "${name.slice(0, 100)}".${guess}`);
    return;
  }
  if (!isAction(action)) {
    const known = SERVICE_ACTIONS.join(", ");
    notFound(call, "unknown_action", `"${action.slice(0, 100)}" is nothing that a service does: ${known}.`);
    return;
  }
  events.record({
    kind: "service.ordered",
    severity: "info",
    service: name,
    message: `Somebody asked for ${action} of ${name}.`,
    data: { action, request: call.id },
  });
  const answer = control(name, action);
  sendJson(call, answer.ok ? 202 : 409, { service: name, action, ...answer });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const notFound = (call: Call, code: string, message: string): void =>
  sendError(call, { status: 404, type: "invalid_request_error", code, message });
