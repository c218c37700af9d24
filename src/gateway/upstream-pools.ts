import { Pool } from "undici";

import type { Address } from "../core/index.ts";
import type { GatewayLimits } from "./limits.ts";

/**
 * Requests on one connection to an engine of this machine. llama-server closes each after its hundredth (cpp-httplib, CPPHTTPLIB_KEEPALIVE_MAX_COUNT): a
 * request that is sent just then would look like one that an engine broke.
 */
const MOST_ON_ONE = 90;

/** Kept connections to each service. A service that comes back at another address gets a new pool. */
export class UpstreamPools {
  readonly #pools = new Map<string, { readonly key: string; readonly pool: Pool }>();
  readonly #limits: GatewayLimits;

  constructor(limits: GatewayLimits) {
    this.#limits = limits;
  }

  for(service: string, address: Address): Pool {
    const key = keyOf(address);
    const known = this.#pools.get(service);
    if (known?.key === key) return known.pool;
    // What is in flight on the old address ends by itself: with its answer, or with its engine's connection.
    void known?.pool.close();
    const pool = this.#open(address);
    this.#pools.set(service, { key, pool });
    return pool;
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
    // A server elsewhere says when it closes (RFC 9112, 9.6), and each new connection to it costs round trips.
    if (address.kind === "url") return new Pool(address.origin, common);
    const bounded = { ...common, maxRequestsPerClient: MOST_ON_ONE };
    if (address.kind === "unix")
      return new Pool("http://localhost", { ...bounded, socketPath: address.path });
    const host = address.host.includes(":") ? `[${address.host}]` : address.host;
    return new Pool(`http://${host}:${address.port}`, bounded);
  }

  /** Cuts every connection. */
  async destroy(): Promise<void> {
    await Promise.all([...this.#pools.values()].map(({ pool }) => pool.destroy()));
    this.#pools.clear();
  }
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
