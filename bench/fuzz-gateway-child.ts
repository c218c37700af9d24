/**
 * The gateway that is fuzzed, in a process of its own, with all that a node's has: keys with limits, places, books, files,
 * batches, stored responses, hosted tools, metrics and an access log. Arguments: a folder, and the ports of its engines as
 * JSON. It tells its parent the URL, each fault at once, and on every message how it stands.
 */
import { join } from "node:path";

import { gatewayEndpoints } from "../src/cli/node/gateway-endpoints.ts";
import { openGatewayStores } from "../src/cli/node/gateway-stores.ts";
import { BatchRunner } from "../src/gateway/batches/batch-runner.ts";
import { freePlaces } from "../src/gateway/batches/free-places.ts";
import { createGateway } from "../src/gateway/index.ts";
import type { GatewayInside } from "../src/gateway/index.ts";
import { sendMetrics } from "../src/gateway/metrics-endpoint.ts";
import { answerRequests } from "../src/gateway/requests-endpoint.ts";
import { openRequests, openStore } from "../src/store/index.ts";
import { createTelemetry, gatewaySamples } from "../src/telemetry/index.ts";
import { keyGateOf } from "../test/fakes/key-gate-of.ts";
import { CountedBackends } from "./fuzz/counted-backends.ts";
import { countedGate } from "./fuzz/counted-gate.ts";
import { echoTools } from "./fuzz/echo-tools.ts";
import { FUZZED_SERVICES, KEYS, LIMITS } from "./fuzz/fuzzed-node.ts";
import type { NodeState } from "./fuzz/fuzzed-gateway.ts";
import { RingEvents } from "./fuzz/ring-events.ts";

const [folder = "", ports = "{}"] = process.argv.slice(2);
const fault =
  (what: string) =>
  (thrown: unknown): void => {
    const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    process.send?.({ fault: `${what}: ${text}` });
  };
process.on("unhandledRejection", fault("unhandled rejection"));
process.on("uncaughtException", fault("uncaught exception"));
process.on("warning", fault("warning"));

const events = new RingEvents(fault("secret in an event"));
const backends = new CountedBackends(
  new Map(Object.entries(JSON.parse(ports)).map(([name, port]) => [name, Number(port)])),
);
const [free, one, few, narrow] = KEYS;
const gate = countedGate(
  keyGateOf({
    [free]: { upstream: true },
    [one]: { admin: false, limits: { concurrent: 1 } },
    [few]: {
      admin: false,
      priority: 2,
      limits: { requestsPerMinute: 600, tokensPerMinute: 100_000, tokensPerDay: 1e9 },
    },
    [narrow]: { admin: false, routes: ["chat", "text"], upstream: true },
  }),
);
const store = openStore(folder);
const requests = openRequests(folder, {});
const telemetry = createTelemetry({
  version: "fuzz",
  names: { routes: ["any", "mixed", "chat", "text"], services: [], keys: ["key-0"] },
  metrics: true,
  logs: {
    access: true,
    level: "debug",
    format: "json",
    file: join(folder, "access.log"),
    maxSize: 8_000_000,
    keep: 1,
  },
  requests,
  tell: (event) => void events.record(event),
});
const stores = await openGatewayStores(folder);

let inside: GatewayInside | undefined;
let runner: BatchRunner | undefined;
const gateway = createGateway({
  backends,
  events,
  host: "127.0.0.1",
  port: 0,
  version: "fuzz",
  limits: LIMITS,
  keys: gate,
  meter: telemetry.meter,
  responses: stores.responses,
  tools: echoTools,
  hardware: () => ({ cards: [] }),
  endpoints: (given) => {
    inside = given;
    telemetry.addCollector({ collect: () => gatewaySamples({ openRequests: given.shared.open.size }) });
    runner = new BatchRunner({
      store: stores.batches,
      files: stores.files,
      ask: given.ask,
      events,
      caller: () => ({ key: "key-0", admin: true, upstream: true, priority: 0 }),
      free: freePlaces(backends, given.shared.admission),
    });
    return {
      ...gatewayEndpoints(given, {
        stores,
        imageModels: new Map(),
        stopping: new AbortController().signal,
        batchesChanged: () => runner?.wake(),
      }),
      "/api/requests": { admin: true, GET: (call) => answerRequests(requests, call) },
      "/metrics": { open: true, GET: (call) => sendMetrics(call, telemetry.snapshot()) },
    };
  },
});

/** Everything that has to be back at zero when nobody asks. */
function state(): NodeState {
  globalThis.gc?.();
  const shared = inside?.shared;
  if (shared === undefined) throw new Error("the gateway made no endpoints");
  const places = FUZZED_SERVICES.map(({ name }) => shared.admission.load(name));
  const traffic = Object.values(shared.traffic.snapshot());
  const resources = process.getActiveResourcesInfo();
  const { heapUsed, external, rss } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return {
    left: {
      leases: backends.leases,
      demands: backends.demands,
      places: places.reduce((sum, { running, waiting }) => sum + running + waiting, 0),
      exchanges: shared.open.size,
      watched: shared.patience.size,
      tries: traffic.reduce((sum, { inFlight }) => sum + inFlight, 0),
      admitted: gate.running,
    },
    sockets: resources.filter((name) => name === "TCPSocketWrap").length,
    timers: resources.filter((name) => name === "Timeout").length,
    heap: heapUsed + external,
    rss,
    cpu: (user + system) / 1000,
    tried: traffic.reduce((sum, { attempts }) => sum + attempts, 0),
    retried: traffic.reduce((sum, { retried }) => sum + retried, 0),
    continued: traffic.reduce((sum, { continued }) => sum + continued, 0),
  };
}

const { url } = await gateway.listen();
runner?.start();
process.on("message", (order) => {
  if (order === "state") process.send?.({ state: state() });
  else if (order === "close") {
    void (async () => {
      await runner?.close();
      await gateway.close(0);
      stores.close();
      await telemetry.close(1_000);
      await requests.close();
      store.close();
      process.disconnect?.();
    })();
  }
});
process.once("disconnect", () => process.exit(0));
process.send?.({ url });
