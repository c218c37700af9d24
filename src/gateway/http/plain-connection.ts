import type { Socket } from "node:net";

import { tellParseError } from "../parse-error.ts";
import type { KnownHead, KnownHeads } from "./known-head.ts";
import type { AnswerLine, StandingLines } from "./plain-answer.ts";
import { PlainAnswer } from "./plain-answer.ts";
import type { BodySource } from "./plain-request.ts";
import { PlainRequest } from "./plain-request.ts";
import type { PlainHead } from "./plain-request-head.ts";
import { readPlainHead } from "./plain-request-head.ts";

/** So much behind a request is read while it is answered; what is more waits in the system. */
const MOST_KEPT = 65_536;
/** A client whose heads differ so often has something new in each. */
const MOST_UNLIKE = 4;
/** How long a client that was told why its connection ends may take to end it too. */
const LINGER_TIME = 2_000;
/** What node:http adds to what it promises, so that a client's last request is not lost. */
const KEEP_ALIVE_MARGIN = 1_000;

/** The times that a client may take, ms; none is checked that is 0. */
export interface ClientTimes {
  readonly head: number;
  readonly body: number;
  readonly keepAlive: number;
  readonly idle: number;
}

/** What a connection needs of the side that it belongs to. */
export interface PlainHost {
  /** By the coarse clock, ms. */
  readonly now: number;
  readonly lines: StandingLines;
  /** No request is to follow the one that is answered. */
  readonly closing: boolean;
  readonly mostHead: number;
  readonly mostBody: number;
  readonly knownHeads: KnownHeads;
  takes(path: string): boolean;
  enter(request: PlainRequest, answer: PlainAnswer): void;
  /** The rest of the connection's life is node:http's, beginning with these bytes. */
  handOver(connection: PlainConnection, bytes: Buffer): void;
  gone(connection: PlainConnection): void;
}

/** A client's connection while all its requests are plain ones; they are answered one at a time. */
export class PlainConnection implements AnswerLine, BodySource {
  readonly socket: Socket;
  bytesWritten = 0;
  readonly #host: PlainHost;
  #request: PlainRequest | undefined;
  /** Until all of it was handed to the system. */
  #answer: PlainAnswer | undefined;
  #known: KnownHead | undefined;
  /** Heads that were not like the one before. */
  #unlike = 0;
  /** What came behind the request that is answered. */
  #kept: Buffer | undefined;
  /** By the host's clock: when it began to wait for what it waits for. */
  #since: number;
  /** No request was read yet. */
  #fresh = true;
  /** Nothing more is read or answered on it. */
  #ending = false;

  readonly #onData = (bytes: Buffer): void => this.#read(bytes);
  readonly #onEnd = (): void => this.#clientEnded();
  readonly #onDrain = (): void => this.#answer?.drained();
  readonly #onTimeout = (): void => this.#stalled();
  readonly #onClose = (): void => this.#closed();
  readonly #onSent = (error?: Error | null): void => {
    if (error === undefined || error === null) this.#answered();
  };

  constructor(host: PlainHost, socket: Socket) {
    this.#host = host;
    this.socket = socket;
    this.#since = host.now;
    socket.on("data", this.#onData).on("end", this.#onEnd).on("drain", this.#onDrain);
    socket.on("timeout", this.#onTimeout).on("close", this.#onClose).on("error", ignore);
  }

  /** Gives the socket up as it was before. */
  release(): void {
    const { socket } = this;
    socket.off("data", this.#onData).off("end", this.#onEnd).off("drain", this.#onDrain);
    socket.off("timeout", this.#onTimeout).off("close", this.#onClose).off("error", ignore);
  }

  get idle(): boolean {
    return this.#request === undefined && !this.#fresh;
  }

  get writableLength(): number {
    return this.socket.writableLength;
  }

  get lines(): StandingLines {
    return this.#host.lines;
  }

  get closes(): boolean {
    return this.#host.closing;
  }

  send(bytes: Buffer, last: boolean): boolean {
    if (this.#ending) return true;
    this.bytesWritten += bytes.length;
    return last ? this.socket.write(bytes, this.#onSent) : this.socket.write(bytes);
  }

  sendAll(parts: readonly Buffer[], last: boolean): boolean {
    this.socket.cork();
    let taken = true;
    for (const [i, part] of parts.entries()) taken = this.send(part, last && i === parts.length - 1);
    this.socket.uncork();
    return taken;
  }

  sent(): void {
    if (this.#ending) return;
    if (this.socket.writableLength === 0) process.nextTick(this.#onSent);
    else this.socket.write(NOTHING, this.#onSent);
  }

  destroy(): void {
    this.socket.destroy();
  }

  readMore(): void {
    if (this.socket.isPaused()) this.socket.resume();
  }

  readLater(): void {
    this.socket.pause();
  }

  /** Looks whether the client took too long. */
  check(now: number, times: ClientTimes): void {
    const waited = now - this.#since;
    const over = (time: number): boolean => time > 0 && waited > time;
    const request = this.#request;
    if (!this.#ending && request === undefined) {
      if (!this.#fresh) {
        if (over(times.keepAlive + KEEP_ALIVE_MARGIN)) this.destroy();
      } else if (over(times.head)) this.#refuse(tooSlow());
    } else if (!this.#ending && request?.complete === false && over(times.body)) this.#refuse(tooSlow());
    else if (this.socket.writableLength > 0 && !this.socket.timeout) this.socket.setTimeout(times.idle);
  }

  #read(bytes: Buffer): void {
    if (this.#ending) return;
    const request = this.#request;
    if (request === undefined) this.#begin(bytes);
    else {
      const taken = request.complete ? 0 : request.take(bytes);
      if (taken < bytes.length) this.#keep(taken === 0 ? bytes : bytes.subarray(taken));
      if (request.complete && this.#answer === undefined) this.#next();
    }
  }

  #begin(bytes: Buffer): void {
    const host = this.#host;
    const head = this.#headOf(bytes);
    const behind = head === undefined ? 0 : bytes.length - head.size - head.length;
    if (
      head === undefined ||
      head.length > host.mostBody ||
      (head.close && behind > 0) ||
      !host.takes(head.path)
    ) {
      this.release();
      host.handOver(this, bytes);
      return;
    }
    const request = new PlainRequest(head, this);
    const answer = new PlainAnswer(this, head.close);
    this.#request = request;
    this.#answer = answer;
    this.#fresh = false;
    this.#since = host.now;
    if (bytes.length > head.size) request.take(bytes.subarray(head.size));
    if (behind > 0) this.#keep(bytes.subarray(bytes.length - behind));
    host.enter(request, answer);
  }

  #headOf(bytes: Buffer): PlainHead | undefined {
    const known = this.#known?.match(bytes);
    if (known !== undefined) return known;
    const head = readPlainHead(bytes, this.#host.mostHead);
    if (head !== undefined && this.#unlike < MOST_UNLIKE) {
      this.#unlike++;
      this.#known = this.#host.knownHeads.share(head, bytes);
    }
    return head;
  }

  #keep(bytes: Buffer): void {
    this.#kept = this.#kept === undefined ? bytes : Buffer.concat([this.#kept, bytes]);
    if (this.#kept.length > MOST_KEPT) this.readLater();
  }

  /** All of the answer was handed to the system. */
  #answered(): void {
    const answer = this.#answer;
    const request = this.#request;
    if (answer === undefined || request === undefined) return;
    this.#answer = undefined;
    if (answer.last && !this.#ending) {
      this.#ending = true;
      this.socket.setTimeout(LINGER_TIME);
      this.socket.destroySoon();
    }
    answer.closed(true);
    if (this.#ending || this.socket.destroyed) return;
    if (request.complete) this.#next();
    else request.dump();
  }

  #next(): void {
    const kept = this.#kept;
    this.#request = undefined;
    this.#kept = undefined;
    this.#since = this.#host.now;
    this.readMore();
    if (kept !== undefined) this.#begin(kept);
  }

  /** As node:http does: who ends its side gets what was written for it, and nothing more. */
  #clientEnded(): void {
    if (this.#ending) return;
    if (this.#request !== undefined && !this.#request.complete) this.#refuse(endedEarly());
    else {
      this.#ending = true;
      this.socket.end();
    }
  }

  /** Tells what is wrong with a request that is not whole and never will be, unless its answer has begun. */
  #refuse(error: NodeJS.ErrnoException): void {
    const { socket } = this;
    if (!socket.writable || this.#answer?.headersSent === true) this.destroy();
    else {
      this.#ending = true;
      tellParseError(error, socket, this.#request?.url);
      socket.setTimeout(LINGER_TIME);
    }
  }

  #stalled(): void {
    if (this.#ending || this.socket.writableLength > 0) this.destroy();
    else this.socket.setTimeout(0);
  }

  #closed(): void {
    this.#ending = true;
    this.#host.gone(this);
    this.#request?.drop();
    this.#kept = undefined;
    const answer = this.#answer;
    this.#answer = undefined;
    answer?.closed(false);
  }
}

const NOTHING = Buffer.alloc(0);
const ignore = (): void => undefined;

const tooSlow = (): NodeJS.ErrnoException =>
  Object.assign(new Error("Request timeout"), { code: "ERR_HTTP_REQUEST_TIMEOUT" });

const endedEarly = (): NodeJS.ErrnoException =>
  Object.assign(new Error("Parse Error"), { code: "HPE_INVALID_EOF_STATE" });
