import { present } from "../../core/index.ts";
import { joinedEndpoints, METHODS } from "../../gateway/surface.ts";
import type { Endpoint } from "../../gateway/surface.ts";
import type { MetricNames } from "../../telemetry/index.ts";
import type { LocatedSpec } from "../node-spec.ts";
import { VERSION } from "../version.ts";
import { hardwareOf } from "./gateway-parts.ts";
import type { GatewayParts, NodeGatewayOptions, ServedGateway, ServingGateway } from "./gateway-parts.ts";
import type { LedPath, WorkerInside } from "./gateway-worker-settings.ts";
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
  const { located, plan, settings, events, supervisor, stateFolder, onReload } = options;
  const { limits, corsOrigins, allowedHosts, tls, anthropic, metricsPath, drain } = settings;
  const { metrics, traces } = settings.telemetry;
  const { keepContent } = located.spec.telemetry;
  const keys = books.keys.forWorkers;
  if (keys === undefined) throw new Error("the keys were not opened for workers");
  const { tools, api } = inner;
  const led = joinedEndpoints(tools.endpoints, tools.admin, api.endpoints);
  const inside = await serveInside(stateFolder, { ...led, ...insideToolEndpoints(tools.host) });
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
      inside: insideForWorkers(inside.address, led, tools, located),
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
    hardware: hardwareOf(options),
    batchesChanged: () => inner.runner.wake(),
    ...(onReload === undefined ? {} : { reload: onReload }),
  });
  api.count(outer.counts);
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

/** What workers have to know of what is served in this process. */
const insideForWorkers = (
  address: InsideAddress,
  led: Readonly<Record<string, Endpoint>>,
  tools: ToolGateway,
  { spec }: LocatedSpec,
): WorkerInside => ({
  address,
  paths: Object.entries(led).map(([path, endpoint]) => ledPath(path, endpoint)),
  bodyLimit: spec.gateway.bodyLimit,
  toolServers: tools.servers(),
});

function ledPath(path: string, endpoint: Endpoint): LedPath {
  const { open = false, beyondKeys = false, admin = false, whole } = endpoint;
  return {
    path,
    methods: METHODS.filter(
      (method) => endpoint[method] !== undefined || (method === "POST" && whole !== undefined),
    ),
    ...(open ? { open } : {}),
    ...(beyondKeys ? { beyondKeys } : {}),
    ...(admin ? { admin } : {}),
  };
}
