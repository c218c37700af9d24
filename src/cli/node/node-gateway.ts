import { messageOf, present } from "../../core/index.ts";
import { sendJson } from "../../gateway/call.ts";
import { sendError } from "../../gateway/wire-error.ts";
import { BatchRunner } from "../../gateway/batches/batch-runner.ts";
import { freePlaces } from "../../gateway/batches/free-places.ts";
import { readImageModels } from "../../gateway/images/image-models.ts";
import { createGateway } from "../../gateway/index.ts";
import type { Gateway, GatewayInside } from "../../gateway/index.ts";
import { sendMetrics } from "../../gateway/metrics-endpoint.ts";
import { answerRequests } from "../../gateway/requests-endpoint.ts";
import { placesOf } from "../../gateway/standard-parts.ts";
import type { Endpoint } from "../../gateway/surface.ts";
import type { SpecKey } from "../../keys/index.ts";
import { gatewaySamples, machineSamples, serviceSamples, watchEjections } from "../../telemetry/index.ts";
import type { Sample } from "../../telemetry/index.ts";
import { VERSION } from "../version.ts";
import { nodeApi } from "./api-endpoints.ts";
import type { NodeApi } from "./api-endpoints.ts";
import { openGatewayBooks } from "./gateway-books.ts";
import type { GatewayBooks } from "./gateway-books.ts";
import { gatewayEndpoints, imageNames } from "./gateway-endpoints.ts";
import { metricNames } from "./gateway-settings.ts";
import type { GatewaySettings } from "./gateway-settings.ts";
import { hardwareOf } from "./gateway-parts.ts";
import type { GatewayParts, NodeGatewayOptions, ServedGateway } from "./gateway-parts.ts";
import { openGatewayStores } from "./gateway-stores.ts";
import type { GatewayStores } from "./gateway-stores.ts";
import { severalProcesses } from "./several-processes.ts";
import { openNodeTools } from "./tools/node-tools.ts";

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
    return closing(
      settings.workers > 1 ? await severalProcesses(options, parts, served, names) : served,
      parts,
    );
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

function oneProcess(options: NodeGatewayOptions, parts: GatewayParts): ServedGateway {
  const { plan, settings, events, supervisor } = options;
  const { books, stores, admission } = parts;
  const stopping = new AbortController();
  const ejections = watchEjections(events);
  let asked: GatewayInside | undefined;
  const tools = openNodeTools(options, parts, () => {
    if (asked === undefined) throw new Error("the gateway has no endpoints yet");
    return asked.ask;
  });
  let runner: BatchRunner | undefined;
  let api: NodeApi | undefined;
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
    hardware: hardwareOf(options),
    tools: tools.host,
    endpoints: (inside) => {
      asked = inside;
      api = nodeApi(options, parts, inside);
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
        ...tools.endpoints,
        ...tools.admin,
        ...api.endpoints,
        ...(options.onReload === undefined ? {} : { "/api/reload": reloadEndpoint(options.onReload) }),
      };
    },
  });
  if (runner === undefined || api === undefined) throw new Error("the gateway made no endpoints");
  return { gateway, runner, stopping, ejections, tools, api };
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
  { admission }: GatewayParts,
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
  { stores, books }: GatewayParts,
): BatchRunner =>
  new BatchRunner({
    store: stores.batches,
    files: stores.files,
    ask,
    events,
    caller: (key) => books.keys.callerOf(key),
    free: freePlaces(supervisor, shared.admission),
  });

/** Ends batches first, which go on later, then the clients, then the books. */
const closing = (
  { gateway, runner, stopping, ejections, tools, api }: ServedGateway,
  { stores, books, queue }: GatewayParts,
): NodeGateway => {
  let closed: Promise<void> | undefined;
  return {
    configure: (changes) => gateway.configure(changes),
    reload({ located, settings, specKeys, plan }) {
      const names = metricNames(plan, namesOf(specKeys));
      tools.reload(located);
      api.reload(located, specKeys);
      gateway.configure({ ...settings, names, toolServers: tools.servers() });
      Object.assign(queue, queueOf(settings));
      books.keys.setSpec(specKeys);
      books.telemetry.rename(names);
    },
    async listen() {
      const listening = await gateway.listen();
      runner.start();
      void tools.warm();
      return listening;
    },
    async close(deadline) {
      stopping.abort();
      api.close();
      const ended = tools.close(deadline);
      const late = gateway.close(deadline);
      closed ??= (async () => {
        await runner.close();
        await Promise.all([late, ended]);
        stores.close();
        ejections.close();
        await books.close(BOOKS_TIME);
      })();
      await Promise.all([late, closed]);
    },
  };
};
