import { fileURLToPath } from "node:url";

import type { EventLog } from "../../core/index.ts";
import { siblingProgram } from "../../core/index.ts";
import type { Admission } from "../../gateway/admission/admission.ts";
import type { Gateway, GatewayChanges } from "../../gateway/gateway-options.ts";
import type { OpenRequests } from "../../gateway/open-exchanges.ts";
import type { ServiceTraffic } from "../../gateway/traffic.ts";
import { addTraffic } from "../../gateway/workers/add-traffic.ts";
import type { Answer } from "../../gateway/workers/named-answer.ts";
import { WorkerPool } from "../../gateway/workers/worker-pool.ts";
import type { KeysForWorkers } from "../../keys/index.ts";
import type { Backends } from "../../supervisor/backends.ts";
import type { ServiceAction, ServiceControl } from "../../supervisor/service-control.ts";
import { SERVICE_ACTIONS } from "../../supervisor/service-control.ts";
import { mergeSnapshots } from "../../telemetry/index.ts";
import type { MetricNames, MetricsSnapshot, RequestSink } from "../../telemetry/index.ts";
import type { GatewayWorkerSettings } from "./gateway-worker-settings.ts";
import { allOpen } from "./node-counts.ts";
import type { NodeCounts } from "./node-counts.ts";

/** What the composition decides; the rest follows from what it passes. */
type NodeSettings = Omit<GatewayWorkerSettings, "hardware" | "control" | "reload">;

export interface GatewayWorkersOptions {
  /** `gateway.workers`: processes that share the port. */
  readonly workers: number;
  readonly settings: NodeSettings;
  readonly backends: Backends;
  /** Places of the whole node, counted in this process: `createAdmission`. */
  readonly admission: Admission;
  /** `NodeKeys.forWorkers`, opened with `workers: true`. */
  readonly keys: KeysForWorkers;
  readonly events: EventLog;
  /** Where every request of every worker is told: the access log and the rows of the store. */
  readonly requests?: RequestSink;
  /** Figures of this process: services, cards, itself. Those of requests are the workers'. */
  readonly metrics?: () => MetricsSnapshot;
  readonly control?: ServiceControl;
  readonly hardware?: () => unknown;
  readonly reload?: () => Promise<unknown>;
  /** There is a batch more, or one to be ended: the runner in this process is to look. */
  readonly batchesChanged?: () => void;
  /** Further answers that workers may ask for by name (`WorkerSide.call`). */
  readonly answers?: Readonly<Record<string, Answer>>;
}

export interface GatewayWorkers extends Gateway {
  /** Processes that serve now. */
  readonly pids: readonly number[];
  /** What they know together. */
  readonly counts: NodeCounts;
  /** Takes over what changed, names of metrics too. Workers that cannot take a certificate keep the old one and tell. */
  configure(
    changes: GatewayChanges & { readonly names?: MetricNames; readonly toolServers?: readonly string[] },
  ): void;
}

const ENTRY = fileURLToPath(siblingProgram(import.meta.url, "./gateway-worker"));

const isTraffic = (value: unknown): value is Record<string, ServiceTraffic> =>
  typeof value === "object" && value !== null;
const isOpenRequests = (value: unknown): value is OpenRequests =>
  typeof value === "object" && value !== null && "requests" in value && "total" in value;
const isSnapshot = (value: unknown): value is MetricsSnapshot => Array.isArray(value);

/** The node's one endpoint, served by processes of their own; in this one are what they share. It does not listen yet. */
export function startGatewayWorkers(options: GatewayWorkersOptions): GatewayWorkers {
  const { backends, control, hardware, metrics, reload, batchesChanged, requests, admission, keys, events } =
    options;
  const facts = { version: options.settings.version, started: Date.now(), url: "", stopping: false };
  const complete = (settings: NodeSettings): GatewayWorkerSettings => ({
    ...settings,
    hardware: hardware !== undefined,
    control: control !== undefined,
    reload: reload !== undefined,
  });
  let { settings } = options;
  const counts: NodeCounts = {
    traffic: async () => addTraffic((await pool.collect("traffic")).filter(isTraffic)),
    open: async () => allOpen((await pool.collect("open")).filter(isOpenRequests)),
    status: async () => ({
      ...facts,
      pid: process.pid,
      uptime: Date.now() - facts.started,
      workers: pool.pids,
      services: backends.services(),
      routes: backends.routes(),
      diagnostics: backends.diagnostics(),
      traffic: await counts.traffic(),
    }),
  };
  const answers: Record<string, Answer> = {
    status: counts.status,
    metrics: async () =>
      mergeSnapshots([
        ...(metrics === undefined ? [] : [metrics()]),
        ...(await pool.collect("metrics")).filter(isSnapshot),
      ]),
    ...(hardware === undefined ? {} : { hardware }),
    ...(control === undefined ? {} : { control: (order) => obey(control, order) }),
    ...(reload === undefined ? {} : { reload }),
    ...(batchesChanged === undefined ? {} : { batches: batchesChanged }),
    ...options.answers,
  };
  const pool = new WorkerPool({
    workers: options.workers,
    entry: ENTRY,
    settings: complete(options.settings),
    services: { backends, admission, keys, events, ...(requests === undefined ? {} : { requests }), answers },
  });
  return {
    counts,
    get pids(): readonly number[] {
      return pool.pids;
    },
    async listen() {
      facts.url = await pool.start();
      return { url: facts.url };
    },
    async close(deadline) {
      facts.stopping = true;
      await pool.close(deadline);
    },
    configure({ names, toolServers, ...changes }) {
      const telemetry = names === undefined ? settings.telemetry : { ...settings.telemetry, names };
      settings = { ...settings, ...changes, telemetry };
      const { inside } = settings;
      if (inside !== undefined && toolServers !== undefined)
        settings = { ...settings, inside: { ...inside, toolServers } };
      pool.configure(complete(settings));
    },
  };
}

const isAction = (value: unknown): value is ServiceAction =>
  SERVICE_ACTIONS.some((action) => action === value);

function obey(control: ServiceControl, order: unknown): unknown {
  const isOrder = typeof order === "object" && order !== null && "service" in order && "action" in order;
  if (!isOrder || typeof order.service !== "string" || !isAction(order.action)) {
    return { ok: false, message: "This is no order." };
  }
  return control(order.service, order.action);
}
