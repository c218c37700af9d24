import type { Call } from "./call.ts";
import type { GatewayInside, GatewayOptions } from "./gateway-options.ts";
import { parseBody, readJsonBody, serveBytes } from "./proxy-endpoint.ts";
import { prepareResponse } from "./responses/prepare-response.ts";
import { storedResponses } from "./responses/responses-endpoint.ts";
import type { Endpoint } from "./surface.ts";
import { sendError } from "./wire-error.ts";

/** `/v1/responses`: with a store, conversations go on by `previous_response_id`. */
export function responsesEndpoints(
  inside: GatewayInside,
  { responses }: GatewayOptions,
): Record<string, Endpoint> {
  const { shared } = inside;
  const POST = (call: Call): void =>
    readJsonBody(shared, call, (bytes) => {
      const parsed = parseBody(bytes);
      if ("error" in parsed) sendError(call, parsed.error);
      else if (responses === undefined || call.caller === undefined) {
        serveBytes(shared, call, "responses", bytes, {});
      } else {
        const prepared = prepareResponse(parsed.body, call.caller, responses, shared.events);
        if ("status" in prepared) sendError(call, prepared);
        else {
          const whole = Buffer.from(JSON.stringify(prepared.body));
          serveBytes(shared, call, "responses", whole, { remember: (answer) => prepared.remember(answer) });
        }
      }
    });
  return {
    "/v1/responses": { POST },
    ...(responses === undefined ? {} : { "/v1/responses/*": storedResponses(responses) }),
  };
}
