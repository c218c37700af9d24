import { z } from "zod";

import { nearest } from "../../core/index.ts";
import type { ServiceAction } from "../../supervisor/service-control.ts";
import type { ProviderContext } from "../provider.ts";
import type { NodeAccess } from "./node-access.ts";
import type { NodeTool, Said } from "./node-tool.ts";
import { nodeTool } from "./node-tool.ts";

interface Order {
  readonly name: string;
  readonly action: ServiceAction;
  readonly title: string;
  readonly description: string;
  /** A second call of the same changes nothing more. */
  readonly idempotent: boolean;
}

const ORDERS: readonly Order[] = [
  {
    name: "load_service",
    action: "load",
    title: "Load a service",
    description:
      "Loads a service now and unloads whoever takes turns with it on its cards, once their answers have ended.",
    idempotent: true,
  },
  {
    name: "unload_service",
    action: "unload",
    title: "Unload a service",
    description:
      "Lets the answers of a service finish and frees its cards until somebody asks for it; the next request waits for it to load.",
    idempotent: true,
  },
  {
    name: "restart_service",
    action: "restart",
    title: "Restart a service",
    description:
      "Lets the answers of a service finish, then starts its engine again; requests wait meanwhile.",
    idempotent: false,
  },
  {
    name: "drain_service",
    action: "drain",
    title: "Drain a service",
    description: "Lets the answers of a service finish and gives it no new ones until resume_service.",
    idempotent: true,
  },
  {
    name: "resume_service",
    action: "resume",
    title: "End the drain of a service",
    description: "Lets a drained service take requests again.",
    idempotent: true,
  },
  {
    name: "step_down_service",
    action: "step-down",
    title: "Step a service down",
    description:
      "One step down the contingency ladder of a service, which frees memory at the price of context, speed or place; explain_service shows the steps.",
    idempotent: false,
  },
  {
    name: "step_up_service",
    action: "step-up",
    title: "Step a service up",
    description: "Takes one step of the contingency ladder of a service back.",
    idempotent: false,
  },
];

/** The tools that change the node. They are for keys that may; the gateway's policy asks for approval before. */
export const controlTools = (access: NodeAccess): readonly NodeTool[] =>
  ORDERS.map(({ name, action, title, description, idempotent }) =>
    nodeTool({
      name,
      title,
      description: `${description} Only keys with admin may, and a person may have to approve it.`,
      arguments: z.strictObject({ service: z.string().min(1).max(200).describe("Name of the service.") }),
      annotations: {
        readOnlyHint: false,
        destructiveHint: true,
        idempotentHint: idempotent,
        openWorldHint: false,
      },
      run: ({ service }, context) => order(access, service, action, context),
    }),
  );

function order(access: NodeAccess, service: string, action: ServiceAction, context: ProviderContext): Said {
  const { caller, request } = context;
  const refused = (message: string): Said => ({
    text: message,
    data: { service, action, ok: false, message },
    failed: true,
  });
  if (!caller.admin) {
    return refused(
      `Key "${caller.key}" may not change the node, so ${action} of ${service} was not done. Use a key with admin, or ask the node's owner.`,
    );
  }
  const names = access.services().map(({ name }) => name);
  if (!names.includes(service)) {
    const meant = nearest(service, names);
    const guess = meant === undefined ? "" : ` Did you mean "${meant}"?`;
    return refused(`This node has no service "${service}".${guess} It has ${names.join(", ") || "none"}.`);
  }
  access.events.record({
    kind: "service.ordered",
    severity: "info",
    service,
    message: `Key "${caller.key}" asked for ${action} of ${service} over MCP.`,
    data: { action, request, key: caller.key },
  });
  const { ok, message } = access.order(service, action);
  return ok ? { text: message, data: { service, action, ok, message } } : refused(message);
}
