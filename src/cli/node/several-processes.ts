import { present } from "../../core/index.ts";
import type { MetricNames } from "../../telemetry/index.ts";
import type { LocatedSpec } from "../node-spec.ts";
import { VERSION } from "../version.ts";
import { hardwareOf } from "./gateway-parts.ts";
import type { GatewayParts, NodeGatewayOptions, ServedGateway, ServingGateway } from "./gateway-parts.ts";
import type { WorkerTools } from "./gateway-worker-settings.ts";
import { startGatewayWorkers } from "./gateway-workers.ts";
import { serveInside } from "./tools/inside-server.ts";
import type { InsideAddress } from "./tools/inside-server.ts";
import { insideToolEndpoints } from "./tools/inside-tools.ts";
import type { ToolGateway } from "./tools/tool-gateway.ts";

/**
 * The same served by several processes: the gateway of this one never listens; it asks for batches, and what it shares
 * (places, keys, books) is what the others ask for.
 */
export async function severalProcesses(
  options: NodeGatewayOptions,
  { books, admission, imageModels }: GatewayParts,
  inner: ServedGateway,
  names: MetricNames,
): Promise<ServedGateway> {
  const { located, plan, settings, events, supervisor, watch, stateFolder, onReload } = options;
  const { limits, corsOrigins, allowedHosts, tls, anthropic, metricsPath, drain } = settings;
  const { metrics, traces } = settings.telemetry;
  const { keepContent } = located.spec.telemetry;
  const keys = books.keys.forWorkers;
  if (keys === undefined) throw new Error("the keys were not opened for workers");
  const { tools } = inner;
  const inside = await serveInside(stateFolder, {
    ...tools.endpoints,
    ...tools.admin,
    ...insideToolEndpoints(tools.host),
  });
  const outer = startGatewayWorkers({
    workers: settings.workers,
    settings: {
      ...present({ limits, corsOrigins, allowedHosts, tls, anthropic, metricsPath }),
      host: plan.gateway.host,
      port: plan.gateway.port,
      version: VERSION,
      telemetry: { names, metrics, ...present({ traces }) },
      stateFolder,
      imageModels,
      tools: toolsForWorkers(inside.address, tools, located),
      drain,
      ...(keepContent === false
        ? {}
        : { keepContent: { age: keepContent.retention, bytes: keepContent.maxSize } }),
    },
    backends: supervisor,
    admission,
    keys,
    events,
    requests: { record: (record) => books.telemetry.meter.finished(record) },
    metrics: () => books.telemetry.snapshot(),
    control: supervisor.control,
    hardware: hardwareOf(watch),
    batchesChanged: () => inner.runner.wake(),
    ...(onReload === undefined ? {} : { reload: onReload }),
  });
  const gateway: ServingGateway = {
    listen: () => outer.listen(),
    configure({ names: renamed, toolServers, ...changes }) {
      // What is wrong with a certificate is found here, before the workers hear of it.
      inner.gateway.configure(changes);
      outer.configure({ ...changes, ...present({ names: renamed, toolServers }) });
    },
    async close(deadline) {
      await outer.close(deadline);
      await inside.close();
      await inner.gateway.close(0);
    },
  };
  return { ...inner, gateway };
}

/** What workers have to know of MCP, which is served in this process. */
const toolsForWorkers = (address: InsideAddress, tools: ToolGateway, { spec }: LocatedSpec): WorkerTools => ({
  address,
  servers: tools.servers(),
  paths: [
    ...Object.entries(tools.endpoints).map(([path, { open = false, beyondKeys = false }]) => ({
      path,
      ...(open ? { open } : {}),
      ...(beyondKeys ? { beyondKeys } : {}),
    })),
    ...Object.keys(tools.admin).map((path) => ({ path, admin: true })),
  ],
  bodyLimit: spec.gateway.bodyLimit,
});
