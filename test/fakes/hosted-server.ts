import OpenAI from "openai";

import type { StoredResponses } from "../../src/store/index.ts";
import { prepareResponse } from "../../src/gateway/responses/prepare-response.ts";
import { storedResponses } from "../../src/gateway/responses/responses-endpoint.ts";
import type { HostedTools } from "../../src/gateway/tools/serve-hosted.ts";
import { serveHostedChat, serveHostedResponse } from "../../src/gateway/tools/serve-hosted.ts";
import { sendError } from "../../src/gateway/wire-error.ts";
import type { StreamedCall } from "../../src/gateway/call.ts";
import type { Caller } from "../../src/keys/caller.ts";
import { CALLER, jsonOf, startEndpoints } from "./endpoint-server.ts";
import type { MemoryEventLog } from "./memory-event-log.ts";

export interface HostedServer extends AsyncDisposable {
  readonly url: string;
  readonly client: OpenAI;
  /** As another key, its name the secret. */
  as(key: string): OpenAI;
}

/** The two paths that run hosted tools, and stored responses, behind a real HTTP server. */
export async function startHosted(
  hosted: HostedTools & { readonly events: MemoryEventLog },
  responses: StoredResponses,
  callers: readonly Caller[] = [],
): Promise<HostedServer> {
  const answer = async (call: StreamedCall): Promise<void> => {
    const caller = call.caller ?? CALLER;
    const body = await jsonOf(call);
    if (call.path === "/v1/chat/completions") return serveHostedChat(hosted, call, caller, body);
    const prepared = prepareResponse(body, caller, responses, hosted.events);
    if ("status" in prepared) return sendError(call, prepared);
    return serveHostedResponse(hosted, call, caller, prepared);
  };
  const post = (call: StreamedCall): void => {
    answer(call).catch((thrown: unknown) => call.res.destroy(new Error(String(thrown))));
  };
  const server = await startEndpoints(
    {
      "/v1/responses": { POST: post },
      "/v1/responses/*": storedResponses(responses),
      "/v1/chat/completions": { POST: post },
    },
    callers,
  );
  const as = (apiKey: string): OpenAI => new OpenAI({ baseURL: `${server.url}/v1`, apiKey, maxRetries: 0 });
  return {
    url: server.url,
    client: as("local"),
    as,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
