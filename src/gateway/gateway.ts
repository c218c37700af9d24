import { OmniError } from "../core/index.ts";
import { surfaceOf } from "../engines/index.ts";
import { isLoopback, NameGuard } from "./access.ts";
import { createAskInside } from "./ask-inside.ts";
import { bind } from "./bind.ts";
import { Door } from "./door.ts";
import { Drain } from "./drain.ts";
import { EventStreams } from "./events-endpoint.ts";
import type { ExchangeShared } from "./exchange-shared.ts";
import { KEEPS_NOTHING } from "../telemetry/index.ts";
import type { Gateway, GatewayChanges, GatewayInside, GatewayOptions } from "./gateway-options.ts";
import { boundClients, createHttpServer, renewCertificate } from "./http-server.ts";
import type { GatewayLimits } from "./limits.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { OpenExchanges } from "./open-exchanges.ts";
import { Patience } from "./patience.ts";
import { RetryBudget } from "./retry-budget.ts";
import { createTokenCounter } from "./routing/token-counter.ts";
import { createRouter } from "./routing/create-router.ts";
import { NO_BOOK, NO_METER, OPEN_GATE, placesOf } from "./standard-parts.ts";
import { nodeStatus } from "./status-endpoint.ts";
import type { NodeFacts } from "./status-endpoint.ts";
import { createSurface } from "./surface-table.ts";
import { Traffic } from "./traffic.ts";
import { UpstreamPools } from "./upstream-pools.ts";

/** How long the next engine may take to count what was said, ms. */
const RESUME_COUNT = 2_000;
/** How late a deadline may be noticed, ms. */
const MOST_LATE = 250;

/** The node's one HTTP endpoint over the services of `backends`; it does not listen yet. Throws gateway.tls. */
export function createGateway(options: GatewayOptions): Gateway {
  const { events, host, port, version } = options;
  const limits: GatewayLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const shared = sharedOf(options, limits);
  const facts: NodeFacts = { version, started: Date.now(), url: "", stopping: false };
  const streams = new EventStreams(events, limits.heartbeatTime);
  const guard = (told: GatewayChanges): NameGuard =>
    new NameGuard(host, told.corsOrigins ?? [], told.allowedHosts);
  let names = guard(options);
  const inside: GatewayInside = {
    shared,
    ask: createAskInside(shared),
    status: () => nodeStatus(shared.backends, facts, shared.traffic),
  };
  const surface = createSurface(inside, facts, streams, options);
  const { keys, meter } = shared;
  const door = new Door({
    surface,
    keys,
    meter,
    get names(): NameGuard {
      return names;
    },
  });
  const server = createHttpServer(limits, options.tls, door);
  // Places follow what the supervisor does with services.
  const unsubscribe = events.subscribe(({ service }) => {
    if (service !== undefined) shared.admission.refresh();
  });
  let drain: Drain | undefined;

  return {
    async listen() {
      if (keys.open && !isLoopback(host)) throw openWithoutKeys(host);
      const url = await bind(server, host, port);
      facts.url = options.tls === undefined ? url : url.replace(/^http:/, "https:");
      return { url: facts.url };
    },
    configure(changes) {
      if (changes.tls !== undefined) renewCertificate(server, changes.tls);
      names = guard(changes);
      shared.limits = { ...DEFAULT_LIMITS, ...changes.limits };
      boundClients(server, shared.limits);
    },
    async close(deadline) {
      facts.stopping = true;
      streams.close();
      drain ??= new Drain(server, shared.open);
      drain.within(deadline);
      await drain.done;
      unsubscribe();
      await shared.pools.destroy();
    },
  };
}

function sharedOf(options: GatewayOptions, limits: GatewayLimits): ExchangeShared {
  const { backends, events } = options;
  let inForce = (): GatewayLimits => limits;
  const pools = new UpstreamPools(limits);
  const countTokens = createTokenCounter({ backends, pools, surfaceOf });
  const shared: ExchangeShared = {
    backends,
    events,
    limits,
    pools,
    budget: new RetryBudget(performance.now()),
    traffic: new Traffic(),
    router: options.router ?? createRouter({ backends, events, countTokens }),
    admission: options.admission ?? placesOf(backends, () => inForce()),
    // A client waits for the rest of its answer here: that its limit holds is worth more than a moment.
    countTokens: createTokenCounter({ backends, pools, surfaceOf, time: RESUME_COUNT }),
    keys: options.keys ?? OPEN_GATE,
    meter: options.meter ?? NO_METER,
    usage: options.usage ?? NO_BOOK,
    contents: options.contents ?? KEEPS_NOTHING,
    patience: new Patience(Math.max(10, Math.min(MOST_LATE, limits.idleTime / 4))),
    open: new OpenExchanges(),
  };
  inForce = () => shared.limits;
  return shared;
}

const openWithoutKeys = (host: string): OmniError =>
  new OmniError(
    "node.open-without-keys",
    `Listening on ${host} would let everyone who reaches this machine use its models: no key is set.`,
  );
