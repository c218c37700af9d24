import type { Socket } from "node:net";

import { ChunkedBody } from "./chunked-body.ts";
import type { EngineExchange, ExchangeConnection } from "./engine-exchange.ts";
import { asError } from "./engine-exchange.ts";
import { EngineError } from "./engine-error.ts";
import type { EngineSocketOwner, EngineTarget } from "./engine-socket.ts";
import { openSocket, READ_BUFFER } from "./engine-socket.ts";
import type { Turning } from "./engine-turns.ts";
import { writeRequest } from "./engine-write.ts";
import { ResponseHead } from "./response-head.ts";
import type { KnownAnswers } from "./response-known.ts";

/** Who keeps the connections to one engine. */
export interface ConnectionKeeper {
  /** Heads that the engine has sent before. */
  readonly known: KnownAnswers;
  /** Its answer is whole; after the next poll it may be given another request. */
  answered(connection: EngineConnection): void;
  /** It is idle, and all that the engine had sent by now was read. */
  ready(connection: EngineConnection): void;
  /** An exchange whose request was not written, or in vain, because its kept connection had ended before. */
  again(exchange: EngineExchange): void;
  /** The connection is closed. */
  closed(connection: EngineConnection): void;
}

/** Nothing is asked on it: what comes is not wanted. */
const IDLE = 0;
/** It has an exchange whose request has not been written. */
const UNWRITTEN = 1;
const HEAD = 2;
const LENGTH = 3;
const CHUNKS = 4;
const UNTIL_CLOSE = 5;
/** The answer is whole, and its handler has not been told. */
const WHOLE = 6;

/** One connection to an engine, with at most one exchange at a time. */
export class EngineConnection implements ExchangeConnection, EngineSocketOwner, Turning {
  /** Requests written on it. */
  requests = 0;
  /** Seconds that the engine said it keeps the connection when it is idle; -1 where it did not. */
  keptFor = -1;
  /** `EngineSweep.now` since when it is idle. */
  idleSince = 0;
  readonly #keeper: ConnectionKeeper;
  readonly #socket: Socket;
  readonly #most: number;
  readonly #head: ResponseHead;
  #exchange: EngineExchange | undefined;
  #stage = UNWRITTEN;
  /** Bytes of the body still to come. */
  #left = 0;
  #chunks: ChunkedBody | undefined;
  /** The engine, or this side, said that no request follows this one. */
  #last = false;
  /** What was read while the handler is paused. */
  #held: Buffer | undefined;
  #delivering = false;
  #open = false;
  /** Its request was written before all was read that the engine had sent by then: what comes now was sent before it. */
  #early = false;
  #dead = false;

  /** Connects for this exchange; at most `most` requests are written on it. */
  constructor(keeper: ConnectionKeeper, target: EngineTarget, most: number, exchange: EngineExchange) {
    this.#keeper = keeper;
    this.#head = new ResponseHead(keeper.known);
    this.#most = most;
    this.#exchange = exchange;
    exchange.on(this);
    this.#socket = openSocket(target, this);
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Gives an idle connection a request, which is written at once where it is `early`, otherwise by `turned`. */
  take(exchange: EngineExchange, early: boolean): void {
    this.#exchange = exchange;
    this.#stage = UNWRITTEN;
    this.#early = early;
    exchange.on(this);
    if (early) this.#write();
  }

  turned(): void {
    if (this.#dead) return;
    if (this.#early) this.#early = false;
    else if (this.#stage === UNWRITTEN) this.#write();
    else if (this.#stage === IDLE) this.#keeper.ready(this);
  }

  /** Destroys it; its exchange hears the error. */
  end(error: Error): void {
    const exchange = this.#exchange;
    this.cut();
    exchange?.fail(error);
  }

  cut(): void {
    this.#dead = true;
    this.#exchange = undefined;
    this.#held = undefined;
    this.#socket.destroy();
  }

  pace(): void {
    if (this.#dead || this.#delivering) return;
    if (!this.#isPaused()) this.#deliverHeld();
    if (this.#dead || !this.#open) return;
    if (this.#isPaused()) this.#socket.pause();
    else this.#socket.resume();
  }

  onOpen(): void {
    if (this.#dead) return;
    this.#open = true;
    this.#write();
    if (this.#isPaused()) this.#socket.pause();
  }

  /** `count` bytes lie in the buffer that all connections share; false stops the reading. */
  onRead(count: number): boolean {
    if (this.#dead) return false;
    if (this.#isUnasked) {
      // Nobody asked for it. A request that is not written yet, or just now, goes elsewhere (onClosed).
      this.#dead = true;
      this.#socket.destroy();
      return false;
    }
    if (this.#isPaused()) this.#hold(READ_BUFFER, 0, count);
    else this.#deliver(READ_BUFFER, count);
    return !this.#isPaused();
  }

  onEnd(): void {
    if (this.#dead) return;
    this.#drain();
    if (this.#stage === UNTIL_CLOSE) this.#finish(false);
    else if (!this.#isUnasked) {
      this.end(new EngineError("UND_ERR_SOCKET", "other side closed"));
      return;
    }
    this.#dead = true;
    this.#socket.destroy();
  }

  onError(error: Error): void {
    if (this.#dead) return;
    this.#drain();
    // As undici does: engines that close with unread bytes of the request end their answer with a reset.
    if (this.#stage === UNTIL_CLOSE && "code" in error && error.code === "ECONNRESET") this.#finish(false);
    else if (this.#open && this.#isUnasked) this.#dead = true;
    else this.end(error);
  }

  onClosed(): void {
    const exchange = this.#exchange;
    const unasked = this.#open && this.#isUnasked;
    this.#dead = true;
    this.#exchange = undefined;
    this.#keeper.closed(this);
    if (exchange === undefined || exchange.over) return;
    if (unasked) this.#keeper.again(exchange);
    else exchange.fail(new EngineError("UND_ERR_SOCKET", "closed"));
  }

  /** What comes is no answer. */
  get #isUnasked(): boolean {
    return this.#stage <= UNWRITTEN || this.#early;
  }

  #isPaused(): boolean {
    return this.#exchange?.paused === true;
  }

  #write(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    this.#last = ++this.requests >= this.#most;
    this.#stage = HEAD;
    writeRequest(this.#socket, exchange.head, exchange.call.body, this.#last);
  }

  /** Tells the handler what is left, whether it is paused or not: nothing follows that it could hold back. */
  #drain(): void {
    const exchange = this.#exchange;
    if (this.#held === undefined || exchange === undefined) return;
    exchange.paused = false;
    while (this.#held !== undefined) {
      this.#deliverHeld();
      exchange.paused = false;
    }
  }

  #deliverHeld(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    this.#deliver(held, held.length);
  }

  #hold(bytes: Buffer, from: number, end: number): void {
    const part = bytes.subarray(from, end);
    this.#held = this.#held === undefined ? Buffer.from(part) : Buffer.concat([this.#held, part]);
  }

  #deliver(bytes: Buffer, end: number): void {
    this.#delivering = true;
    try {
      this.#read(bytes, end);
    } catch (thrown) {
      this.end(asError(thrown));
    } finally {
      this.#delivering = false;
    }
  }

  #read(bytes: Buffer, end: number): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    let at = 0;
    for (;;) {
      if (this.#stage === HEAD) {
        at = this.#head.take(bytes, at, end);
        if (at < 0) return;
        this.#begin();
        exchange.start(this.#head.status, this.#head.headers);
      } else if (this.#stage !== WHOLE) {
        if (at === end) return;
        at = this.#body(exchange, bytes, at, end);
      }
      if (exchange.over) return;
      if (exchange.paused) {
        if (at < end || this.#stage === WHOLE) this.#hold(bytes, at, end);
        return;
      }
      if (this.#stage === WHOLE) {
        this.#finish(at < end);
        return;
      }
    }
  }

  /** The head is whole: how the body is read. */
  #begin(): void {
    const { framing } = this.#head;
    this.keptFor = framing.keptFor;
    if (!framing.keeps || framing.keptFor === 0 || framing.keptFor === 1) this.#last = true;
    if (framing.chunked) {
      this.#chunks = new ChunkedBody();
      this.#stage = CHUNKS;
    } else if (framing.length >= 0) {
      this.#left = framing.length;
      this.#stage = framing.length === 0 ? WHOLE : LENGTH;
    } else this.#stage = UNTIL_CLOSE;
  }

  /** Hands on a part of the body; returns where the next one begins. */
  #body(exchange: EngineExchange, bytes: Buffer, from: number, end: number): number {
    const chunks = this.#chunks;
    if (this.#stage === CHUNKS && chunks !== undefined) {
      const joined = chunks.take(bytes, from, end);
      if (chunks.done) this.#stage = WHOLE;
      const { position, pieceFrom, pieceEnd } = chunks;
      if (joined !== undefined) exchange.data(joined);
      else if (pieceEnd > pieceFrom) exchange.lend(bytes, pieceFrom, pieceEnd);
      return position;
    }
    const part = this.#stage === LENGTH ? Math.min(this.#left, end - from) : end - from;
    if (this.#stage === LENGTH) {
      this.#left -= part;
      if (this.#left === 0) this.#stage = WHOLE;
    }
    exchange.lend(bytes, from, from + part);
    return from + part;
  }

  /** The answer is whole. `surplus` when bytes stand behind it, which nobody asked for. */
  #finish(surplus: boolean): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#chunks = undefined;
    const closes = surplus || this.#last || this.#stage === UNTIL_CLOSE || this.#socket.writableLength > 0;
    this.#stage = IDLE;
    if (closes) this.cut();
    else this.#keeper.answered(this);
    exchange?.end();
  }
}
