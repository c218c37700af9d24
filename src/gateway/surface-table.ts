import type { Operation } from "./ask.ts";
import type { Call } from "./call.ts";
import { sendJson } from "./call.ts";
import { answerEvents } from "./events-endpoint.ts";
import type { EventStreams } from "./events-endpoint.ts";
import type { GatewayInside, GatewayOptions } from "./gateway-options.ts";
import { answerHealth, answerReadiness } from "./health-endpoint.ts";
import { listModels, showModel } from "./models-endpoint.ts";
import { OPERATIONS } from "./operations.ts";
import { passthroughEndpoints } from "./passthrough-endpoints.ts";
import { proxyRequest } from "./proxy-endpoint.ts";
import { serveChat } from "./chat-request.ts";
import { responsesEndpoints } from "./responses-request.ts";
import { orderService } from "./service-endpoint.ts";
import type { NodeFacts } from "./status-endpoint.ts";
import { answerHome } from "./status-endpoint.ts";
import type { Endpoint } from "./surface.ts";
import { joinedEndpoints, Surface } from "./surface.ts";

/** Every path of a gateway. */
export function createSurface(
  inside: GatewayInside,
  facts: NodeFacts,
  streams: EventStreams,
  options: GatewayOptions,
): Surface {
  const { shared } = inside;
  const { backends } = shared;
  const own = {
    "/": { open: true, GET: (call) => answerHome(facts.version, call) },
    "/healthz": { open: true, GET: answerHealth },
    "/readyz": { open: true, GET: (call) => answerReadiness(backends, facts.stopping, call) },
    "/v1/models": { GET: (call) => listModels(backends, call, options.moreModels) },
    "/v1/models/*": { GET: (call, id) => showModel(backends, call, id, options.moreModels) },
    ...dialects(inside, options),
    ...responsesEndpoints(inside, options),
    ...passthroughEndpoints(shared, options.anthropic ?? true),
    ...nodeEndpoints(inside, streams, options),
  } satisfies Record<string, Endpoint>;
  return new Surface(joinedEndpoints(own, options.endpoints?.(inside) ?? {}));
}

/** The paths whose bodies are routed by their `model`. */
const dialects = (inside: GatewayInside, options: GatewayOptions): Record<string, Endpoint> => ({
  "/v1/chat/completions": { whole: (call) => serveChat(inside, options, call) },
  ...Object.fromEntries(
    Object.entries(OPERATIONS)
      .filter(
        ([, operation]) => !OWN.has(operation) && (operation !== "messages" || options.anthropic !== false),
      )
      .map(([path, operation]) => [
        path,
        { whole: (call: Call) => proxyRequest(inside.shared, call, operation) } satisfies Endpoint,
      ]),
  ),
});

/** Operations whose requests are looked into before they are routed. */
const OWN: ReadonlySet<Operation> = new Set(["chat", "responses"]);

function nodeEndpoints(
  { shared, status }: GatewayInside,
  streams: EventStreams,
  { control, hardware }: GatewayOptions,
): Record<string, Endpoint> {
  const { backends, events } = shared;
  return {
    ...(control === undefined
      ? {}
      : {
          "/api/services/*": {
            admin: true,
            POST: (call, rest) => orderService(backends, control, events, call, rest),
          },
        }),
    ...(hardware === undefined
      ? {}
      : { "/api/hardware": { admin: true, GET: (call) => sendJson(call, 200, hardware()) } }),
    "/api/status": { GET: (call) => sendJson(call, 200, status()) },
    "/api/events": { admin: true, GET: (call) => answerEvents(events, call) },
    "/api/events/stream": { admin: true, GET: (call) => streams.follow(call) },
  };
}
