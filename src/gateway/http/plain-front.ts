import type { Server } from "node:http";
import type { Socket } from "node:net";

import { KnownHeads } from "./known-head.ts";
import type { StandingLines } from "./plain-answer.ts";
import { KEEP_LINE } from "./plain-answer.ts";
import type { PlainHost } from "./plain-connection.ts";
import { PlainConnection } from "./plain-connection.ts";
import type { AnswerOutlet, RequestBody, RequestHead } from "./request-head.ts";

/** What is served without node:http, and how. */
export interface PlainService {
  /** Whether a POST to this path is. */
  takes(path: string): boolean;
  enterPlain(req: RequestHead, body: RequestBody, res: AnswerOutlet): void;
}

interface PlainBounds {
  readonly headerBytes: number;
  readonly bodyBytes: number;
}

const SHORTEST_TICK = 25;
const LONGEST_TICK = 5_000;

/**
 * Stands before a server of node:http: requests of the one plain form are read and answered here, at a fraction of the
 * cost. Everything else, and with it the rest of its connection, goes to node:http as if nobody had looked at it.
 */
export class PlainFront implements PlainHost {
  now = 0;
  readonly mostHead: number;
  readonly mostBody: number;
  readonly knownHeads = new KnownHeads();
  readonly #server: Server;
  readonly #service: PlainService;
  readonly #listener: (socket: Socket) => void;
  readonly #connections = new Set<PlainConnection>();
  #timer: NodeJS.Timeout | undefined;
  #tick = LONGEST_TICK;
  #second = 0;
  #lines: StandingLines = { date: "", keeps: "" };

  private constructor(
    server: Server,
    bounds: PlainBounds,
    service: PlainService,
    listener: (socket: Socket) => void,
  ) {
    this.#server = server;
    this.#service = service;
    this.#listener = listener;
    this.mostHead = bounds.headerBytes;
    this.mostBody = bounds.bodyBytes;
  }

  /**
   * Takes the place of the server's own listener for connections of this event, which is called for what is handed over.
   * The server's `closeIdleConnections` and `closeAllConnections` mean the plain ones too from then on, and its times hold
   * for them. Where the listener cannot be told for certain, all stays as it is.
   */
  static standBefore(
    server: Server,
    event: "connection" | "secureConnection",
    bounds: PlainBounds,
    service: PlainService,
  ): void {
    const [listener, second] = server.listeners(event);
    if (listener === undefined || second !== undefined) return;
    const front = new PlainFront(server, bounds, service, (socket) => {
      Reflect.apply(listener, server, [socket]);
    });
    server.removeAllListeners(event);
    server.on(event, (socket: Socket) => front.#accept(socket));
    const closeIdle = server.closeIdleConnections.bind(server);
    server.closeIdleConnections = () => {
      closeIdle();
      front.#closeIdle();
    };
    const closeAll = server.closeAllConnections.bind(server);
    server.closeAllConnections = () => {
      closeAll();
      front.#closeAll();
    };
  }

  get closing(): boolean {
    return !this.#server.listening;
  }

  get lines(): StandingLines {
    const now = Date.now();
    const second = Math.floor(now / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      const time = Math.floor(this.#server.keepAliveTimeout / 1_000);
      const keeps =
        this.#server.keepAliveTimeout > 0 ? `${KEEP_LINE}Keep-Alive: timeout=${time}\r\n` : KEEP_LINE;
      this.#lines = { date: `Date: ${new Date(now).toUTCString()}\r\n`, keeps };
    }
    return this.#lines;
  }

  takes(path: string): boolean {
    return this.#service.takes(path);
  }

  enter(request: RequestHead & RequestBody, answer: AnswerOutlet): void {
    this.#service.enterPlain(request, request, answer);
  }

  handOver(connection: PlainConnection, bytes: Buffer): void {
    const { socket } = connection;
    this.gone(connection);
    // Paused, the bytes stay in order with what is read meanwhile; `read` gives them to the parser before it reads on by itself.
    socket.pause();
    socket.unshift(bytes);
    this.#listener(socket);
    socket.read();
    socket.resume();
  }

  gone(connection: PlainConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
  }

  #accept(socket: Socket): void {
    if (this.#timer === undefined) this.#wait();
    this.#connections.add(new PlainConnection(this, socket));
  }

  /** One timer for all connections: how late it is noticed that a client is too slow does not matter. */
  #wait(): void {
    const { headersTimeout, requestTimeout, keepAliveTimeout, timeout } = this.#server;
    const times = [headersTimeout, requestTimeout, keepAliveTimeout, timeout].filter((time) => time > 0);
    this.#tick = Math.max(SHORTEST_TICK, Math.min(LONGEST_TICK, ...times.map((time) => time / 4)));
    this.#timer = setTimeout(() => this.#check(), this.#tick);
    this.#timer.unref();
  }

  #check(): void {
    // By its own clock: time in which the process itself stood still is not the clients'.
    this.now += this.#tick;
    const { headersTimeout, requestTimeout, keepAliveTimeout, timeout } = this.#server;
    const times = {
      head: headersTimeout,
      body: requestTimeout,
      keepAlive: keepAliveTimeout,
      idle: timeout,
    };
    // What began shortly before has had a part of a tick counted only.
    for (const connection of this.#connections) connection.check(this.now - this.#tick, times);
    if (this.#connections.size > 0) this.#wait();
  }

  #closeIdle(): void {
    for (const connection of this.#connections) if (connection.idle) connection.destroy();
  }

  #closeAll(): void {
    for (const connection of this.#connections) connection.destroy();
  }
}
