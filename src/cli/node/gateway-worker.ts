/** A worker of the gateway: a process of its own that shares the node's port. What it knows of the node comes by messages. */
import { present } from "../../core/index.ts";
import { createGateway } from "../../gateway/index.ts";
import type { GatewayInside } from "../../gateway/gateway-options.ts";
import { serveWorker } from "./serve-worker.ts";
import type { WorkerGateway } from "./serve-worker.ts";
import { workerEndpoints } from "../../gateway/workers/worker-endpoints.ts";
import type { WorkerSide } from "../../gateway/workers/worker-side.ts";
import { answerRequests } from "../../gateway/requests-endpoint.ts";
import { joinedEndpoints } from "../../gateway/surface.ts";
import type { Endpoint } from "../../gateway/surface.ts";
import { openContents, openRequests, readEvents } from "../../store/index.ts";
import { createContentKeeper, createTelemetry, KEEPS_NOTHING } from "../../telemetry/index.ts";
import type { ContentKeeper } from "../../telemetry/index.ts";
import { gatewayEndpoints, imageNames } from "./gateway-endpoints.ts";
import { InsideClient } from "./tools/inside-client.ts";
import { insideTools } from "./tools/inside-tools.ts";
import { openGatewayStores } from "./gateway-stores.ts";
import type { GatewayStores } from "./gateway-stores.ts";
import type { GatewayWorkerSettings } from "./gateway-worker-settings.ts";
import { countsOf } from "./node-counts.ts";

interface Left {
  readonly stores: GatewayStores;
  readonly contents: ContentKeeper;
  readonly endpoints: (
    inside: GatewayInside,
    side: WorkerSide,
    stopping: AbortSignal,
  ) => Readonly<Record<string, Endpoint>>;
  close(): Promise<void>;
}

/** Until the node told how long, ms. */
let drain = 30_000;
let stateFolder: string | undefined;

/** The node and its workers are of one release; their protocol says so. */
const isSettings = (value: unknown): value is GatewayWorkerSettings =>
  typeof value === "object" && value !== null && "host" in value && "telemetry" in value;

/** What clients left with the node and what it wrote down, opened once more: every process may. */
async function openLeft(folder: string, { imageModels, keepContent }: GatewayWorkerSettings): Promise<Left> {
  const stores = await openGatewayStores(folder);
  // Rows are written by the node; here they are only read.
  const requests = openRequests(folder);
  const kept = keepContent === undefined ? undefined : openContents(folder, keepContent);
  return {
    stores,
    contents: kept === undefined ? KEEPS_NOTHING : createContentKeeper(kept),
    endpoints: (inside, side, stopping) => ({
      ...gatewayEndpoints(inside, {
        stores,
        imageModels,
        stopping,
        // The runner of batches is in the node; where it does not answer, it looks by itself.
        batchesChanged: () => void side.call("batches").catch(() => undefined),
      }),
      "/api/requests": { admin: true, GET: (call) => answerRequests(requests, call) },
    }),
    close: async () => {
      stores.close();
      kept?.close();
      await requests.close();
    },
  };
}

async function compose(side: WorkerSide, settings: unknown): Promise<WorkerGateway> {
  if (!isSettings(settings)) throw new Error("The node sent no settings.");
  const { telemetry: wanted, metricsPath, hardware, control, reload, inside: _, ...plain } = settings;
  ({ drain, stateFolder } = settings);
  const left = stateFolder === undefined ? undefined : await openLeft(stateFolder, settings);
  const stopping = new AbortController();
  const telemetry = createTelemetry({
    ...wanted,
    version: plain.version,
    requests: side.requests,
    tell: (event) => void side.events.record(event),
  });
  let { inside } = settings;
  const client = inside === undefined ? undefined : new InsideClient(inside.address);
  let own: GatewayInside | undefined;
  const gateway = createGateway({
    ...plain,
    backends: side.backends,
    admission: side.admission,
    events: side.events,
    keys: side.keys.gate,
    usage: side.keys.usage,
    meter: telemetry.meter,
    ...(left === undefined ? {} : { responses: left.stores.responses, contents: left.contents }),
    moreModels: imageNames(settings.imageModels),
    ...(client === undefined ? {} : { tools: insideTools(client, () => inside?.toolServers ?? []) }),
    endpoints: (made) => {
      own = made;
      const paths = { hardware, control, reload, ...(metricsPath === undefined ? {} : { metricsPath }) };
      return joinedEndpoints(
        left?.endpoints(made, side, stopping.signal) ?? {},
        workerEndpoints(side, made, paths),
        inside === undefined ? {} : (client?.endpoints(inside) ?? {}),
      );
    },
  });
  return {
    listen: () => gateway.listen(),
    async close(deadline) {
      const began = performance.now();
      stopping.abort();
      await gateway.close(deadline);
      client?.close();
      await left?.close();
      await telemetry.close(Math.max(0, deadline - (performance.now() - began)));
    },
    configure: (next) => {
      if (!isSettings(next)) return;
      ({ inside } = next);
      telemetry.rename(next.telemetry.names);
      const { limits, corsOrigins, allowedHosts, tls } = next;
      gateway.configure(present({ limits, corsOrigins, allowedHosts, tls }));
    },
    answers: {
      traffic: () => own?.shared.traffic.snapshot() ?? {},
      open: () => (own === undefined ? undefined : countsOf(own).open()),
      metrics: () => telemetry.snapshot(),
    },
  };
}

serveWorker({
  compose,
  orphanTime: () => drain,
  past: {
    after: (after, limit) =>
      stateFolder === undefined ? [] : (readEvents(stateFolder, { after, limit }) ?? []),
    latest: (latest) => (stateFolder === undefined ? [] : (readEvents(stateFolder, { latest }) ?? [])),
  },
});
