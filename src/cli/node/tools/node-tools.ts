import { present } from "../../../core/index.ts";
import type { EventLog } from "../../../core/index.ts";
import type { AskInside } from "../../../gateway/inside-call.ts";
import { hardwareOf } from "../gateway-parts.ts";
import type { GatewayParts, NodeGatewayOptions } from "../gateway-parts.ts";
import { nodeAccess } from "./node-access.ts";
import { tokenDoor } from "./token-door.ts";
import { openToolGateway } from "./tool-gateway.ts";
import type { ToolGateway } from "./tool-gateway.ts";

/** The tool gateway of a node; `ask` gives the way to ask its models, once there is one. */
export const openNodeTools = (
  options: NodeGatewayOptions,
  { books }: Pick<GatewayParts, "books">,
  ask: () => AskInside,
): ToolGateway => {
  const { located, stateFolder, events, supervisor, measurements, plan, settings } = options;
  return openToolGateway({
    located,
    stateFolder,
    events,
    access: nodeAccess({
      supervisor,
      events,
      hardware: hardwareOf(options),
      measurements,
      requests: books.requests,
      ask,
    }),
    bodyLimit: located.spec.gateway.bodyLimit,
    ...present({
      tokens: tokenDoor(located.spec.gateway, {
        host: plan.gateway.host,
        port: plan.gateway.port,
        tls: settings.tls !== undefined,
        callerOf: (key) => books.keys.callerOf(key),
        onTrouble: (reason) => tellIssuer(events, reason),
      }),
    }),
  });
};

/** Without a reason: it can be asked again. */
const tellIssuer = (events: EventLog, reason: string | undefined): void =>
  void events.record(
    reason === undefined
      ? {
          kind: "mcp.issuer-back",
          severity: "info",
          message: "The issuer of access tokens can be asked again.",
        }
      : {
          kind: "mcp.issuer-gone",
          severity: "warning",
          message: `The issuer of access tokens cannot be asked: ${reason}`,
        },
  );
