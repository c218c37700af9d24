/**
 * A node with worker processes, as far as its gateway needs one: one service `oracle` at the engine whose port (or socket's
 * path) is the first argument, with as many places as the second says, over as many workers as the third (none: in this process). It tells its parent the URL,
 * then
 * answers each order (`state`, `places N`, `ready yes|no`, `close N`) with how it stands.
 */
import { createAdmission } from "../../src/gateway/admission/create-admission.ts";
import { startGatewayWorkers } from "../../src/cli/node/gateway-workers.ts";
import type { GatewayWorkers } from "../../src/cli/node/gateway-workers.ts";
import { OmniError } from "../../src/core/index.ts";
import type { Address, EventLog, NodeEvent } from "../../src/core/index.ts";
import { createGateway } from "../../src/gateway/index.ts";
import { createTelemetry } from "../../src/telemetry/index.ts";
import type { Backends } from "../../src/supervisor/backends.ts";

const [port = "0", parallel = "3", workers = "2", listenOn = "0"] = process.argv.slice(2);
let places = Number(parallel);
let leases = 0;
let mostLeases = 0;
let isReady = true;
const broken: string[] = [];

const address: Address = port.startsWith("/")
  ? { kind: "unix", path: port }
  : { kind: "tcp", host: "127.0.0.1", port: Number(port) };
const backends: Backends = {
  services: () => [
    {
      name: "oracle",
      engine: "stub",
      model: "stub",
      state: isReady ? "ready" : "draining",
      restarts: 0,
      contextTokens: 4096,
      parallel: places,
      queueLimit: 64,
      since: 0,
    },
  ],
  routes: () => [{ name: "oracle", services: ["oracle"] }],
  address: () => (isReady ? address : undefined),
  acquire: () => {
    if (!isReady) return undefined;
    mostLeases = Math.max(mostLeases, ++leases);
    let over = false;
    return {
      address,
      release: () => {
        if (!over) leases--;
        over = true;
      },
    };
  },
  demand: () => () => {},
  whenReady: () => Promise.resolve(isReady),
  reportBroken: (service) => void broken.push(service),
  diagnostics: () => [],
};

const recorded: NodeEvent[] = [];
const listeners = new Set<(event: NodeEvent) => void>();
const events: EventLog = {
  record(event) {
    const whole = { ...event, seq: recorded.length + 1, time: Date.now() };
    recorded.push(whole);
    for (const listener of listeners) listener(whole);
    return whole;
  },
  after: (seq, limit) => recorded.filter((event) => event.seq > seq).slice(0, limit),
  latest: (limit) => recorded.slice(-limit),
  subscribe: (listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

const admission = createAdmission({
  capacityOf: () => places,
  queueLimitOf: () => 1000,
  queueLimit: 1000,
  deadline: 20_000,
});
const usage: unknown[] = [];
let requests = 0;
const telemetry = {
  metrics: true,
  names: { routes: ["oracle"], services: [{ name: "oracle", model: "stub", kind: "stub" }], keys: [] },
};
const listen = { host: "127.0.0.1", port: Number(listenOn), version: "test" };
const withWorkers = (): GatewayWorkers =>
  startGatewayWorkers({
    workers: Number(workers),
    settings: { ...listen, drain: 3000, metricsPath: "/metrics", telemetry, imageModels: new Map() },
    backends,
    admission,
    events,
    keys: {
      board: { known: { keys: [], ever: false }, subscribe: () => () => {} },
      lender: {
        exchange: (_, asks) => Promise.resolve(asks.map(({ want }) => ({ held: want, taken: want }))),
      },
      addUsage: (rows) => void usage.push(...rows),
    },
    requests: { record: () => void requests++ },
    control: (service, action) => ({ ok: action === "load", message: `${action} of ${service}` }),
    hardware: () => ({ cards: 0 }),
  });
/** The same without workers, to compare with. */
const alone = (): Omit<GatewayWorkers, "counts"> => {
  const { meter } = createTelemetry({
    ...telemetry,
    version: "test",
    tell: (event) => void events.record(event),
  });
  const gateway = createGateway({ ...listen, backends, admission, events, meter });
  return { ...gateway, pids: [], configure: () => {} };
};
const gateway = workers === "0" ? alone() : withWorkers();

process.on("message", (order: string) => {
  const [verb, value] = order.split(" ");
  if (verb === "close") void gateway.close(Number(value)).then(() => process.disconnect?.());
  if (verb === "places") {
    places = Number(value);
    admission.refresh();
  }
  if (verb === "ready") {
    isReady = value === "yes";
    events.record({ kind: "service.changed", severity: "info", service: "oracle", message: "It changed." });
  }
  process.send?.({
    pids: gateway.pids,
    load: admission.load("oracle"),
    leases,
    mostLeases,
    broken,
    requests,
    usage,
    cpu: process.cpuUsage(),
    events: recorded.map(({ kind, message }) => `${kind}: ${message}`),
  });
});
process.once("disconnect", () => void gateway.close(0));
try {
  process.send?.(await gateway.listen());
} catch (thrown) {
  process.send?.({ failed: thrown instanceof OmniError ? thrown.code : String(thrown) });
  process.disconnect?.();
}
