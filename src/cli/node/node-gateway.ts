import { messageOf, present } from "../../core/index.ts";
import type { EventLog } from "../../core/index.ts";
import type { Admission } from "../../gateway/admission/admission.ts";
import { sendJson } from "../../gateway/call.ts";
import { sendError } from "../../gateway/wire-error.ts";
import { BatchRunner } from "../../gateway/batches/batch-runner.ts";
import { freePlaces } from "../../gateway/batches/free-places.ts";
import { readImageModels } from "../../gateway/images/image-models.ts";
import { createGateway } from "../../gateway/index.ts";
import type { Gateway, GatewayChanges, GatewayInside } from "../../gateway/index.ts";
import { sendMetrics } from "../../gateway/metrics-endpoint.ts";
import { answerRequests } from "../../gateway/requests-endpoint.ts";
import { placesOf } from "../../gateway/standard-parts.ts";
import type { Endpoint } from "../../gateway/surface.ts";
import type { SpecKey } from "../../keys/index.ts";
import type { Plan } from "../../plan/index.ts";
import type { Supervisor } from "../../supervisor/index.ts";
import { gatewaySamples, machineSamples, serviceSamples, watchEjections } from "../../telemetry/index.ts";
import type { MetricNames, Sample } from "../../telemetry/index.ts";
import type { NodeWatch } from "../../watch/index.ts";
import type { LocatedSpec } from "../node-spec.ts";
import { VERSION } from "../version.ts";
import { openGatewayBooks } from "./gateway-books.ts";
import type { GatewayBooks } from "./gateway-books.ts";
import { gatewayEndpoints, imageNames } from "./gateway-endpoints.ts";
import { startGatewayWorkers } from "./gateway-workers.ts";
import { metricNames } from "./gateway-settings.ts";
import type { GatewaySettings } from "./gateway-settings.ts";
import { openGatewayStores } from "./gateway-stores.ts";
import type { GatewayStores } from "./gateway-stores.ts";

export interface NodeGatewayOptions {
  readonly located: LocatedSpec;
  readonly plan: Plan;
  readonly settings: GatewaySettings;
  readonly stateFolder: string;
  readonly specKeys: readonly SpecKey[];
  readonly events: EventLog;
  readonly supervisor: Supervisor;
  readonly watch: NodeWatch;
  readonly onReload?: () => Promise<unknown>;
}

/** What of a running gateway another spec changes. */
export type GatewayReload = Pick<NodeGatewayOptions, "located" | "plan" | "settings" | "specKeys">;

/** The gateway of a node. */
export interface NodeGateway extends Gateway {
  /** Takes over what another spec says of keys, names and bounds. Throws gateway.tls, and nothing is changed then. */
  reload(next: GatewayReload): void;
}

/** Part of a drain that is left to the books. */
const BOOKS_TIME = 2000;

/** The node's endpoint with all it needs: places, keys, books, files, batches, images. It does not listen yet. */
export async function openNodeGateway(options: NodeGatewayOptions): Promise<NodeGateway> {
  const { located, plan, stateFolder, specKeys, events, settings, supervisor } = options;
  const imageModels = readImageModels(located.spec.services, located.folder);
  const names = metricNames(plan, namesOf(specKeys));
  const books = await openGatewayBooks({ located, settings, stateFolder, specKeys, events, names });
  let stores: GatewayStores | undefined;
  try {
    stores = await openGatewayStores(stateFolder);
    const queue = queueOf(settings);
    const parts = { books, stores, imageModels, queue, admission: placesOf(supervisor, () => queue) };
    const served = oneProcess(options, parts);
    return closing(settings.workers > 1 ? severalProcesses(options, parts, served, names) : served, parts);
  } catch (thrown) {
    stores?.close();
    await books.close(0);
    throw thrown;
  }
}

const namesOf = (keys: readonly SpecKey[]): readonly string[] => keys.map(({ caller }) => caller.key);

const queueOf = ({ limits = {} }: GatewaySettings): { queueLimit: number; queueTime: number } => ({
  queueLimit: limits.queueLimit ?? 0,
  queueTime: limits.queueTime ?? 0,
});

interface Parts {
  readonly books: GatewayBooks;
  readonly stores: GatewayStores;
  readonly imageModels: ReturnType<typeof readImageModels>;
  /** Bounds of the queue that are in force. */
  readonly queue: ReturnType<typeof queueOf>;
  readonly admission: Admission;
}

/** A gateway whose processes may count on their own, by the names that their metrics may carry. */
interface ServingGateway extends Gateway {
  configure(changes: GatewayChanges & { readonly names?: MetricNames }): void;
}

interface Served {
  readonly gateway: ServingGateway;
  readonly runner: BatchRunner;
  readonly stopping: AbortController;
  readonly ejections: ReturnType<typeof watchEjections>;
}

function oneProcess(options: NodeGatewayOptions, parts: Parts): Served {
  const { plan, settings, events, supervisor, watch } = options;
  const { books, stores, admission } = parts;
  const stopping = new AbortController();
  const ejections = watchEjections(events);
  let runner: BatchRunner | undefined;
  const gateway = createGateway({
    ...present({
      limits: settings.limits,
      corsOrigins: settings.corsOrigins,
      allowedHosts: settings.allowedHosts,
      tls: settings.tls,
      anthropic: settings.anthropic,
    }),
    host: plan.gateway.host,
    port: plan.gateway.port,
    version: VERSION,
    backends: supervisor,
    events,
    admission,
    keys: books.keys.gate,
    usage: books.keys.usage,
    meter: books.telemetry.meter,
    contents: books.contents,
    responses: stores.responses,
    moreModels: imageNames(parts.imageModels),
    control: supervisor.control,
    hardware: hardwareOf(watch),
    endpoints: (inside) => {
      runner = batchRunner(inside, options, parts);
      books.telemetry.addCollector({ collect: () => samples(inside, options, parts) });
      books.telemetry.addCollector(ejections);
      return {
        ...gatewayEndpoints(inside, {
          stores,
          imageModels: parts.imageModels,
          stopping: stopping.signal,
          batchesChanged: () => runner?.wake(),
        }),
        ...readings(settings, books),
        ...(options.onReload === undefined ? {} : { "/api/reload": reloadEndpoint(options.onReload) }),
      };
    },
  });
  if (runner === undefined) throw new Error("the gateway made no endpoints");
  return { gateway, runner, stopping, ejections };
}

/**
 * The same served by several processes: the gateway of this one never listens; it asks for batches, and what it shares
 * (places, keys, books) is what the others ask for.
 */
function severalProcesses(
  options: NodeGatewayOptions,
  { books, admission, imageModels }: Parts,
  inner: Served,
  names: MetricNames,
): Served {
  const { located, plan, settings, events, supervisor, watch, stateFolder, onReload } = options;
  const { limits, corsOrigins, allowedHosts, tls, anthropic, metricsPath, drain } = settings;
  const { metrics, traces } = settings.telemetry;
  const { keepContent } = located.spec.telemetry;
  const keys = books.keys.forWorkers;
  if (keys === undefined) throw new Error("the keys were not opened for workers");
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
    configure({ names: renamed, ...changes }) {
      // What is wrong with a certificate is found here, before the workers hear of it.
      inner.gateway.configure(changes);
      outer.configure({ ...changes, ...present({ names: renamed }) });
    },
    async close(deadline) {
      await outer.close(deadline);
      await inner.gateway.close(0);
    },
  };
  return { ...inner, gateway };
}

/** What the gateway tells of itself. Metrics hold names and figures, no contents; who scrapes them shows no key. */
const readings = (
  { metricsPath }: GatewaySettings,
  { telemetry, requests }: GatewayBooks,
): Record<string, Endpoint> => ({
  "/api/requests": { admin: true, GET: (call) => answerRequests(requests, call) },
  ...(metricsPath === undefined
    ? {}
    : { [metricsPath]: { open: true, GET: (call) => sendMetrics(call, telemetry.snapshot()) } }),
});

const reloadEndpoint = (onReload: () => Promise<unknown>): Endpoint => ({
  admin: true,
  POST: (call) =>
    void onReload().then(
      (answer) => sendJson(call, 200, answer),
      (thrown: unknown) =>
        sendError(call, {
          status: 500,
          type: "server_error",
          code: "reload_failed",
          message: messageOf(thrown),
        }),
    ),
});

function samples(
  { shared }: GatewayInside,
  { supervisor, watch }: NodeGatewayOptions,
  { admission }: Parts,
): readonly Sample[] {
  const reading = watch.latest();
  return [
    ...serviceSamples(supervisor.services(), (service) => admission.load(service).waiting),
    ...(reading === undefined ? [] : machineSamples(reading)),
    ...gatewaySamples({ openRequests: shared.open.size }),
  ];
}

const batchRunner = (
  { ask, shared }: GatewayInside,
  { events, supervisor }: NodeGatewayOptions,
  { stores, books }: Parts,
): BatchRunner =>
  new BatchRunner({
    store: stores.batches,
    files: stores.files,
    ask,
    events,
    caller: (key) => books.keys.callerOf(key),
    free: freePlaces(supervisor, shared.admission),
  });

/** What `/api/hardware` tells. */
const hardwareOf = (watch: NodeWatch) => (): unknown => ({
  source: watch.source,
  reading: watch.latest() ?? null,
  notes: watch.notes(),
});

/** Ends batches first, which go on later, then the clients, then the books. */
const closing = (
  { gateway, runner, stopping, ejections }: Served,
  { stores, books, queue }: Parts,
): NodeGateway => {
  let closed: Promise<void> | undefined;
  return {
    configure: (changes) => gateway.configure(changes),
    reload({ settings, specKeys, plan }) {
      const names = metricNames(plan, namesOf(specKeys));
      gateway.configure({ ...settings, names });
      Object.assign(queue, queueOf(settings));
      books.keys.setSpec(specKeys);
      books.telemetry.rename(names);
    },
    async listen() {
      const listening = await gateway.listen();
      runner.start();
      return listening;
    },
    async close(deadline) {
      stopping.abort();
      const late = gateway.close(deadline);
      closed ??= (async () => {
        await runner.close();
        await late;
        stores.close();
        ejections.close();
        await books.close(BOOKS_TIME);
      })();
      await Promise.all([late, closed]);
    },
  };
};
