import type { JsonObject, WireError } from "../dialects/index.ts";
import type { Caller } from "../keys/index.ts";
import type { StoredResponses } from "../store/index.ts";
import { answering } from "./answering.ts";
import type { Call } from "./call.ts";
import type { GatewayInside, GatewayOptions } from "./gateway-options.ts";
import { parseBody, readJsonBody, serveBytes } from "./proxy-endpoint.ts";
import { prepareResponse } from "./responses/prepare-response.ts";
import { storedResponses } from "./responses/responses-endpoint.ts";
import type { Endpoint } from "./surface.ts";
import { wantsHostedTools } from "./tools/hosted-servers.ts";
import { serveHostedResponse, withoutHostedItems } from "./tools/serve-hosted.ts";
import { sendError } from "./wire-error.ts";

/** `/v1/responses`: with a store, conversations go on by `previous_response_id`. */
export function responsesEndpoints(inside: GatewayInside, options: GatewayOptions): Record<string, Endpoint> {
  const { shared } = inside;
  const { responses } = options;
  const whole = (call: Call): void =>
    readJsonBody(shared, call, (bytes) => {
      const parsed = parseBody(bytes);
      if ("error" in parsed) sendError(call, parsed.error);
      else if (call.caller !== undefined) serve(inside, options, call, call.caller, parsed.body);
    });
  return {
    "/v1/responses": { whole },
    ...(responses === undefined ? {} : { "/v1/responses/*": storedResponses(responses) }),
  };
}

function serve(
  { shared, ask }: GatewayInside,
  { responses = NOTHING_KEPT, tools }: GatewayOptions,
  call: Call,
  caller: Caller,
  body: JsonObject,
): void {
  const { events } = shared;
  const prepared = prepareResponse(body, caller, responses, events);
  if ("status" in prepared) {
    sendError(call, prepared);
    return;
  }
  if (wantsHostedTools(prepared.body)) {
    const hosted = { ask, events, ...(tools === undefined ? {} : { host: tools }) };
    void answering(call, serveHostedResponse(hosted, call, caller, prepared));
    return;
  }
  const plain = withoutHostedItems(prepared.body);
  if (isWireError(plain)) sendError(call, plain);
  else {
    const bytes = Buffer.from(JSON.stringify(plain));
    serveBytes(shared, call, "responses", bytes, { remember: (answer) => prepared.remember(answer) });
  }
}

const isWireError = (value: JsonObject | WireError): value is WireError =>
  typeof value["status"] === "number" &&
  typeof value["message"] === "string" &&
  "code" in value &&
  !("model" in value);

/** A gateway without a store: no response is found again. */
const NOTHING_KEPT: StoredResponses = {
  put: () => undefined,
  get: () => undefined,
  holderOf: () => undefined,
  touch: () => undefined,
  delete: () => false,
  close: () => undefined,
};
