/** A worker of the gateway: a process of its own that shares the node's port. What it knows of the node comes by messages. */
import { createGateway } from "../../gateway/index.ts";
import type { GatewayInside } from "../../gateway/gateway-options.ts";
import { serveWorker } from "../../gateway/workers/serve-worker.ts";
import type { WorkerGateway } from "../../gateway/workers/serve-worker.ts";
import { workerEndpoints } from "../../gateway/workers/worker-endpoints.ts";
import type { WorkerSide } from "../../gateway/workers/worker-side.ts";
import { readEvents } from "../../store/index.ts";
import { createTelemetry } from "../../telemetry/index.ts";
import type { GatewayWorkerSettings } from "./gateway-worker-settings.ts";

/** Until the node told how long, ms. */
let drain = 30_000;
let stateFolder: string | undefined;

/** The node and its workers are of one release; their protocol says so. */
const isSettings = (value: unknown): value is GatewayWorkerSettings =>
  typeof value === "object" && value !== null && "host" in value && "telemetry" in value;

function compose(side: WorkerSide, settings: unknown): WorkerGateway {
  if (!isSettings(settings)) throw new Error("The node sent no settings.");
  const { telemetry: wanted, stateFolder: folder, metricsPath, hardware, control, ...plain } = settings;
  ({ drain } = settings);
  stateFolder = folder;
  const telemetry = createTelemetry({
    ...wanted,
    version: plain.version,
    requests: side.requests,
    tell: (event) => void side.events.record(event),
  });
  let inside: GatewayInside | undefined;
  const gateway = createGateway({
    ...plain,
    backends: side.backends,
    admission: side.admission,
    events: side.events,
    keys: side.keys.gate,
    usage: side.keys.usage,
    meter: telemetry.meter,
    endpoints: (own) => {
      inside = own;
      const paths = { hardware, control, ...(metricsPath === undefined ? {} : { metricsPath }) };
      return workerEndpoints(side, own, paths);
    },
  });
  return {
    listen: () => gateway.listen(),
    async close(deadline) {
      const began = performance.now();
      await gateway.close(deadline);
      await telemetry.close(Math.max(0, deadline - (performance.now() - began)));
    },
    configure: (next) => {
      if (isSettings(next)) telemetry.rename(next.telemetry.names);
    },
    answers: {
      traffic: () => inside?.shared.traffic.snapshot() ?? {},
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
