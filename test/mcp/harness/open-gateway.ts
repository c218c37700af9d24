import { mcpSurface } from "../../../src/cli/node/tools/mcp-surface.ts";
import { createGateway } from "../../../src/gateway/index.ts";
import type { Hub } from "../../../src/mcp/hub.ts";
import { createMcpEndpoint } from "../../../src/mcp/transports/mcp-endpoint.ts";
import type { Backends } from "../../../src/supervisor/backends.ts";
import { MIB, events, openHub } from "./open-hub.ts";
import type { Settings } from "./open-hub.ts";

/** A node without engines: only its tools are asked for. */
const nobody: Backends = {
  services: () => [],
  routes: () => [],
  address: () => undefined,
  acquire: () => undefined,
  demand: () => () => {},
  whenReady: () => Promise.resolve(false),
  reportBroken: () => {},
  diagnostics: () => [],
};

/** A gateway with everything of Omni that a request of a client passes, on a free port of loopback. */
export async function openGateway(settings: Settings): Promise<{
  readonly url: string;
  readonly hub: Hub;
  readonly sessions: () => number;
  readonly close: () => Promise<void>;
}> {
  const hub = openHub(settings);
  const endpoint = createMcpEndpoint({
    hub,
    version: "0.0.0",
    sessions: settings.sessions ?? 10_000,
    sessionIdle: settings.sessionIdle ?? 60_000,
    bodyLimit: 4 * MIB,
    legacySse: true,
    path: "/mcp",
    events,
  });
  const gateway = createGateway({
    backends: nobody,
    events,
    host: "127.0.0.1",
    port: 0,
    version: "0.0.0",
    endpoints: () =>
      mcpSurface({
        path: "/mcp",
        legacySse: true,
        bodyLimit: 4 * MIB,
        endpoint: () => Promise.resolve(endpoint),
      }),
  });
  const { url } = await gateway.listen();
  const close = async (): Promise<void> => {
    await endpoint.close();
    await gateway.close(1000);
    await hub.close();
  };
  return { url, hub, sessions: () => endpoint.sessions(), close };
}
