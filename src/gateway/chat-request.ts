import { answering } from "./answering.ts";
import type { Call } from "./call.ts";
import type { GatewayInside, GatewayOptions } from "./gateway-options.ts";
import { parseBody, readJsonBody, serveBytes } from "./proxy-endpoint.ts";
import { mayWantHostedTools, wantsHostedTools } from "./tools/hosted-servers.ts";
import { serveHostedChat } from "./tools/serve-hosted.ts";

/** `/v1/chat/completions`: as it is, or in rounds where it wants registered tools run on this side. */
export function serveChat(
  { shared, ask }: GatewayInside,
  { tools }: Pick<GatewayOptions, "tools">,
  call: Call,
): void {
  readJsonBody(shared, call, (bytes) => {
    const { caller } = call;
    const parsed = mayWantHostedTools(bytes) ? parseBody(bytes) : undefined;
    if (parsed !== undefined && "body" in parsed && caller !== undefined && wantsHostedTools(parsed.body)) {
      const hosted = { ask, events: shared.events, ...(tools === undefined ? {} : { host: tools }) };
      void answering(call, serveHostedChat(hosted, call, caller, parsed.body));
    } else serveBytes(shared, call, "chat", bytes);
  });
}
