import type { LocalAddress } from "../../core/index.ts";
import type { EngineCall, EngineDispatcher, EngineHandler } from "./engine-handler.ts";
import type { ConnectionKeeper } from "./engine-connection.ts";
import { EngineConnection } from "./engine-connection.ts";
import { EngineError } from "./engine-error.ts";
import { asError, EngineExchange } from "./engine-exchange.ts";
import { requestHead } from "./engine-request-head.ts";
import type { EngineTarget } from "./engine-socket.ts";
import type { EngineSweep, Sweepable } from "./engine-sweep.ts";
import { SWEEP_TIME } from "./engine-sweep.ts";
import type { EngineTurns } from "./engine-turns.ts";
import { KnownAnswers } from "./response-known.ts";

/** Seconds that an idle connection is kept where the engine does not say: uvicorn, Node and cpp-httplib close after five. */
const KEPT_FOR = 4;
const LOOKS_A_SECOND = 1000 / SWEEP_TIME;

export interface EngineClientOptions extends EngineTarget {
  /** Requests on one connection. */
  readonly most: number;
  readonly turns: EngineTurns;
  readonly sweep: EngineSweep;
}

/**
 * Requests to one engine over kept connections, as many at a time as are asked for: HTTP/1.1 as engines of this machine speak
 * it, for a few microseconds each. Failures carry undici's codes, or the socket's own.
 */
export class EngineClient implements EngineDispatcher, ConnectionKeeper, Sweepable {
  readonly known = new KnownAnswers();
  readonly #options: EngineClientOptions;
  readonly #host: string;
  /** The last one that became idle is the first to be used again: those that nobody needs grow old. */
  #idle: EngineConnection[] = [];
  readonly #open = new Set<EngineConnection>();
  #watched = false;
  #ended: "closed" | "destroyed" | undefined;
  #whenEmpty: (() => void)[] = [];

  constructor(options: EngineClientOptions) {
    this.#options = options;
    this.#host = hostOf(options.address);
  }

  /** Connections that are open or are being opened. */
  get connections(): number {
    return this.#open.size;
  }

  /** Throws nothing: what is wrong with the call is told to its handler, before this returns. */
  dispatch(call: EngineCall, handler: EngineHandler): void {
    const exchange = new EngineExchange(call, handler);
    try {
      if (this.#ended !== undefined) throw this.#refusal();
      exchange.head = requestHead(call, this.#host);
    } catch (thrown) {
      exchange.fail(asError(thrown));
      return;
    }
    exchange.begin();
    this.#place(exchange, true);
  }

  /** Takes no more requests; each connection closes as soon as it is idle. */
  close(): void {
    this.#ended ??= "closed";
    const idle = this.#idle;
    this.#idle = [];
    for (const connection of idle) connection.cut();
  }

  /** Cuts every connection; open requests hear `UND_ERR_DESTROYED`. Resolves when all sockets are closed. */
  destroy(): Promise<void> {
    this.#ended = "destroyed";
    this.#idle = [];
    for (const connection of this.#open) connection.end(destroyed());
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenEmpty.push(resolve);
    });
  }

  answered(connection: EngineConnection): void {
    if (this.#ended === undefined) this.#options.turns.add(connection);
    else connection.cut();
  }

  ready(connection: EngineConnection): void {
    if (this.#ended !== undefined) {
      connection.cut();
      return;
    }
    connection.idleSince = this.#options.sweep.now;
    this.#idle.push(connection);
    if (this.#watched) return;
    this.#watched = true;
    this.#options.sweep.watch(this);
  }

  again(exchange: EngineExchange): void {
    if (this.#ended === undefined) this.#place(exchange, false);
    else exchange.fail(this.#refusal());
  }

  closed(connection: EngineConnection): void {
    this.#open.delete(connection);
    const at = this.#idle.lastIndexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    if (this.#open.size > 0) return;
    for (const resolve of this.#whenEmpty) resolve();
    this.#whenEmpty = [];
  }

  sweep(now: number): boolean {
    const old = this.#idle.filter((connection) => now - connection.idleSince >= looksFor(connection.keptFor));
    for (const connection of old) connection.cut();
    this.#idle = this.#idle.filter((connection) => !connection.dead);
    this.#watched = this.#idle.length > 0;
    return this.#watched;
  }

  /** On a kept connection, or a new one. What was sent in vain is not written `early` again. */
  #place(exchange: EngineExchange, early: boolean): void {
    if (exchange.over) return;
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.dead) continue;
      this.#options.turns.add(idle);
      idle.take(exchange, early);
      return;
    }
    this.#open.add(new EngineConnection(this, this.#options, this.#options.most, exchange));
  }

  #refusal(): EngineError {
    return this.#ended === "closed"
      ? new EngineError("UND_ERR_CLOSED", "the client of its engine is closed")
      : destroyed();
  }
}

const destroyed = (): EngineError =>
  new EngineError("UND_ERR_DESTROYED", "the client of its engine is destroyed");

/** Looks after which an idle connection is too old: one second before the engine closes it. */
const looksFor = (keptFor: number): number =>
  (keptFor < 0 ? KEPT_FOR : Math.max(keptFor - 1, 0)) * LOOKS_A_SECOND;

function hostOf(address: LocalAddress): string {
  if (address.kind === "unix") return "localhost";
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return address.port === 80 ? host : `${host}:${address.port}`;
}
