import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";

import type { EventLog } from "../core/index.ts";
import { OmniError } from "../core/index.ts";
import type { Backends } from "../supervisor/backends.ts";
import type { ServiceControl } from "../supervisor/service-control.ts";
import { isLoopback, KeyRing, NameGuard } from "./access.ts";
import { bind } from "./bind.ts";
import { sendJson } from "./call.ts";
import { answerParseError } from "./parse-error.ts";
import { Door } from "./door.ts";
import { Drain } from "./drain.ts";
import { answerEvents, EventStreams } from "./events-endpoint.ts";
import type { ExchangeShared } from "./exchange.ts";
import { answerHealth, answerReadiness } from "./health-endpoint.ts";
import type { GatewayLimits } from "./limits.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { listModels, showModel } from "./models-endpoint.ts";
import { proxyRequest } from "./proxy-endpoint.ts";
import { RetryBudget } from "./retry-budget.ts";
import { orderService } from "./service-endpoint.ts";
import type { NodeFacts } from "./status-endpoint.ts";
import { answerHome, answerStatus } from "./status-endpoint.ts";
import type { Endpoint } from "./surface.ts";
import { Surface } from "./surface.ts";
import { Traffic } from "./traffic.ts";
import { UpstreamPools } from "./upstream-pools.ts";

export interface GatewayOptions {
  readonly backends: Backends;
  readonly events: EventLog;
  /** Orders by hand; without it there are none. */
  readonly control?: ServiceControl;
  /** What cards and machine look like now, for `/api/hardware`. */
  readonly hardware?: () => unknown;
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly version: string;
  readonly limits?: Partial<GatewayLimits>;
  /** The secrets of which a request must show one; without any, only loopback is served. */
  readonly keys?: readonly string[];
  /** Origins of web pages that may call this node from a browser, such as `https://chat.example`. */
  readonly corsOrigins?: readonly string[];
}

export interface Gateway {
  /** Throws node.port-busy, node.bad-address or node.open-without-keys. */
  listen(): Promise<{ readonly url: string }>;
  /**
   * Stops accepting, ends idle connections and lets answers finish for at most `deadline` milliseconds; what is left
   * then is cut, streams with an error event. A second call with a shorter deadline hurries the first.
   */
  close(deadline: number): Promise<void>;
}

/** The node's one HTTP endpoint over the services of `backends`; it does not listen yet. */
export function createGateway(options: GatewayOptions): Gateway {
  const { backends, events, host, port, version } = options;
  const limits: GatewayLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const keys = new KeyRing(options.keys ?? []);
  const shared: ExchangeShared = {
    backends,
    events,
    limits,
    pools: new UpstreamPools(limits),
    budget: new RetryBudget(performance.now()),
    traffic: new Traffic(),
    open: new Set(),
  };
  const facts: NodeFacts = { version, started: Date.now(), url: "", stopping: false };
  const streams = new EventStreams(events, limits.heartbeatTime);
  const names = new NameGuard(host, options.corsOrigins ?? []);
  const door = new Door(createSurface(shared, facts, streams, options), names, keys);
  const server = createHttpServer(limits, (req, res) => door.enter(req, res));
  let drain: Drain | undefined;

  return {
    async listen() {
      if (keys.empty && !isLoopback(host)) throw openWithoutKeys(host);
      facts.url = await bind(server, host, port);
      return { url: facts.url };
    },
    async close(deadline) {
      facts.stopping = true;
      streams.close();
      drain ??= new Drain(server, shared.open);
      drain.within(deadline);
      await drain.done;
      await shared.pools.destroy();
    },
  };
}

function createSurface(
  shared: ExchangeShared,
  facts: NodeFacts,
  streams: EventStreams,
  { control, hardware }: Pick<GatewayOptions, "control" | "hardware">,
): Surface {
  const { backends, events, traffic } = shared;
  const proxy = { POST: (call) => proxyRequest(shared, call) } satisfies Endpoint;
  return new Surface({
    "/": { open: true, GET: (call) => answerHome(facts, call) },
    "/healthz": { open: true, GET: answerHealth },
    "/readyz": {
      open: true,
      GET: (call) => answerReadiness(backends, facts.stopping, call),
    },
    "/v1/models": { GET: (call) => listModels(backends, call) },
    "/v1/models/*": { GET: (call, id) => showModel(backends, call, id) },
    "/v1/chat/completions": proxy,
    "/v1/completions": proxy,
    "/v1/embeddings": proxy,
    ...(control === undefined
      ? {}
      : {
          "/api/services/*": {
            POST: (call, rest) => orderService(backends, control, events, call, rest),
          } satisfies Endpoint,
        }),
    ...(hardware === undefined
      ? {}
      : {
          "/api/hardware": {
            GET: (call) => sendJson(call, 200, hardware()),
          } satisfies Endpoint,
        }),
    "/api/status": { GET: (call) => answerStatus(backends, facts, traffic, call) },
    "/api/events": { GET: (call) => answerEvents(events, call) },
    "/api/events/stream": { GET: (call) => streams.follow(call) },
  });
}

function createHttpServer(
  limits: GatewayLimits,
  enter: (req: IncomingMessage, res: ServerResponse) => void,
): Server {
  const server = createServer({
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headerTime,
    requestTimeout: limits.bodyTime,
    keepAliveTimeout: limits.keepAliveTime,
    connectionsCheckingInterval: Math.max(100, Math.min(5_000, limits.headerTime / 2)),
    insecureHTTPParser: false,
  });
  server.on("request", enter);
  // A client that asks before it sends a body is told no before it sends one that is too large.
  server.on("checkContinue", (req: IncomingMessage, res: ServerResponse) => {
    if (Number(req.headers["content-length"] ?? 0) <= limits.bodyBytes) res.writeContinue();
    enter(req, res);
  });
  server.on("clientError", answerParseError);
  return server;
}

const openWithoutKeys = (host: string): OmniError =>
  new OmniError(
    "node.open-without-keys",
    `Listening on ${host} would let everyone who reaches this machine use its models: no key is set.`,
  );
