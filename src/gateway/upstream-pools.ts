import { Pool } from "undici";

import type { Address, LocalAddress } from "../core/index.ts";
import { EngineClient } from "./http/engine-client.ts";
import type { EngineDispatcher } from "./http/engine-handler.ts";
import { EngineSweep } from "./http/engine-sweep.ts";
import { EngineTurns } from "./http/engine-turns.ts";
import type { GatewayLimits } from "./limits.ts";
import { UndiciEngine } from "./http/engine-undici.ts";

/**
 * Requests on one connection to an engine of this machine. llama-server closes each after its hundredth (cpp-httplib, CPPHTTPLIB_KEEPALIVE_MAX_COUNT): a
 * request that is sent just then would look like one that an engine broke.
 */
const MOST_ON_ONE = 90;

/** The ways to one service at one address. Each is made when it is first asked for. */
interface Upstream {
  readonly address: Address;
  readonly key: string;
  pool?: Pool;
  client?: EngineClient;
  engine?: EngineDispatcher;
}

/**
 * Kept connections to each service. A service that comes back at another address gets new ones. Requests for generated answers
 * go through Omni's own client where they are plain HTTP; where they are TLS, and all else, through undici.
 */
export class UpstreamPools {
  readonly #upstreams = new Map<string, Upstream>();
  readonly #limits: GatewayLimits;
  readonly #turns = new EngineTurns();
  readonly #sweep = new EngineSweep();

  constructor(limits: GatewayLimits) {
    this.#limits = limits;
  }

  for(service: string, address: Address): Pool {
    const upstream = this.#at(service, address);
    return (upstream.pool ??= this.#open(address));
  }

  /** For a request whose body is there as a whole. */
  engine(service: string, address: Address): EngineDispatcher {
    const upstream = this.#at(service, address);
    if (upstream.engine !== undefined) return upstream.engine;
    const plain = plainAddress(address);
    if (plain === undefined) {
      upstream.pool ??= this.#open(address);
      return (upstream.engine = new UndiciEngine(upstream.pool));
    }
    upstream.client = new EngineClient({
      address: plain,
      connectTime: this.#limits.connectTime,
      // A server elsewhere says when it closes (RFC 9112, 9.6), and each new connection to it costs round trips.
      most: address.kind === "url" ? Number.POSITIVE_INFINITY : MOST_ON_ONE,
      turns: this.#turns,
      sweep: this.#sweep,
    });
    return (upstream.engine = upstream.client);
  }

  #at(service: string, address: Address): Upstream {
    const known = this.#upstreams.get(service);
    if (known !== undefined) {
      if (known.address === address) return known;
      if (known.key === keyOf(address)) return known;
      // What is in flight on the old address ends by itself: with its answer, or with its engine's connection.
      void known.pool?.close();
      known.client?.close();
    }
    const upstream = { address, key: keyOf(address) };
    this.#upstreams.set(service, upstream);
    return upstream;
  }

  #open(address: Address): Pool {
    const { connectTime } = this.#limits;
    const common = {
      pipelining: 1,
      allowH2: false,
      connectTimeout: connectTime,
      // Deadlines are kept by route and by what was heard already (patience.ts), without a timer a request.
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    if (address.kind === "url") return new Pool(address.origin, common);
    const bounded = { ...common, maxRequestsPerClient: MOST_ON_ONE };
    if (address.kind === "unix")
      return new Pool("http://localhost", { ...bounded, socketPath: address.path });
    const host = address.host.includes(":") ? `[${address.host}]` : address.host;
    return new Pool(`http://${host}:${address.port}`, bounded);
  }

  /** Cuts every connection. */
  async destroy(): Promise<void> {
    const upstreams = [...this.#upstreams.values()];
    this.#upstreams.clear();
    await Promise.all(
      upstreams.map(async ({ pool, client }) => {
        await client?.destroy();
        await pool?.destroy();
      }),
    );
  }
}

/** Where plain HTTP is spoken; `undefined` for TLS. */
function plainAddress(address: Address): LocalAddress | undefined {
  if (address.kind !== "url") return address;
  const { protocol, hostname, port } = new URL(address.origin);
  if (protocol !== "http:") return undefined;
  const host = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
  return { kind: "tcp", host, port: port === "" ? 80 : Number(port) };
}

function keyOf(address: Address): string {
  switch (address.kind) {
    case "unix":
      return address.path;
    case "tcp":
      return `${address.host} ${address.port}`;
    case "url":
      return address.origin;
  }
}
