import { answering } from "./answering.ts";
import type { Call } from "./call.ts";
import type { GatewayInside, GatewayOptions } from "./gateway-options.ts";
import { readAsk, readJsonBody, serveAsk } from "./proxy-endpoint.ts";
import { mayWantHostedTools, wantsHostedTools } from "./tools/hosted-servers.ts";
import { serveHostedChat } from "./tools/serve-hosted.ts";

/** `/v1/chat/completions`: as it is, or in rounds where it wants registered tools run on this side. */
export function serveChat(
  { shared, ask }: GatewayInside,
  { tools }: Pick<GatewayOptions, "tools">,
  call: Call,
): void {
  readJsonBody(shared, call, (bytes) => {
    readAsk(call, "chat", bytes, (read) => {
      const { caller } = call;
      const hosts = mayWantHostedTools(read) && wantsHostedTools(read.json());
      if (hosts && caller !== undefined) {
        const hosted = { ask, events: shared.events, ...(tools === undefined ? {} : { host: tools }) };
        void answering(call, serveHostedChat(hosted, call, caller, read.json()));
      } else serveAsk(shared, call, read);
    });
  });
}
