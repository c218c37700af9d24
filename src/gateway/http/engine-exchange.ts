import type { EngineCall, EngineController, EngineHandler, ReceivedHeaders } from "./engine-handler.ts";

/** What an exchange needs of the connection that it is on. */
export interface ExchangeConnection {
  /** Destroys it at once. */
  cut(): void;
  /** The exchange was paused or resumed. */
  pace(): void;
}

/**
 * One request and its answer: tells the handler each thing once, in order, and nothing behind the end. What a handler throws
 * ends its own exchange and no other.
 */
export class EngineExchange implements EngineController {
  readonly call: EngineCall;
  /** The request's head, without what depends on its connection. */
  head = "";
  readonly #handler: EngineHandler;
  #connection: ExchangeConnection | undefined;
  /** The handler wants to hear nothing more for now. */
  paused = false;
  /** The handler heard the end, or an error. */
  over = false;

  constructor(call: EngineCall, handler: EngineHandler) {
    this.call = call;
    this.#handler = handler;
  }

  /** Which connection it is on from now on. */
  on(connection: ExchangeConnection): void {
    this.#connection = connection;
  }

  abort(reason: Error): void {
    if (this.over) return;
    this.#connection?.cut();
    this.fail(reason);
  }

  pause(): void {
    if (this.over || this.paused) return;
    this.paused = true;
    this.#connection?.pace();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    if (!this.over) this.#connection?.pace();
  }

  begin(): void {
    try {
      this.#handler.onRequestStart(this);
    } catch (thrown) {
      this.abort(asError(thrown));
    }
  }

  start(status: number, headers: ReceivedHeaders): void {
    try {
      this.#handler.onResponseStart(this, status, headers);
    } catch (thrown) {
      this.abort(asError(thrown));
    }
  }

  data(chunk: Buffer): void {
    try {
      this.#handler.onResponseData(this, chunk);
    } catch (thrown) {
      this.abort(asError(thrown));
    }
  }

  /** Data from `from` to `end` that is overwritten once this returns. */
  lend(bytes: Buffer, from: number, end: number): void {
    try {
      if (this.#handler.onResponseLent?.(bytes, from, end) === true) return;
    } catch (thrown) {
      this.abort(asError(thrown));
      return;
    }
    this.data(Buffer.from(bytes.subarray(from, end)));
  }

  end(): void {
    if (this.over) return;
    this.#leave();
    try {
      this.#handler.onResponseEnd(this);
    } catch (thrown) {
      throwLater(thrown);
    }
  }

  fail(error: Error): void {
    if (this.over) return;
    this.#leave();
    try {
      this.#handler.onResponseError(this, error);
    } catch (thrown) {
      throwLater(thrown);
    }
  }

  #leave(): void {
    this.over = true;
    this.#connection = undefined;
  }
}

/** What was thrown, as an error. */
export const asError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error("something was thrown that is no error", { cause: thrown });

/** Nobody is left to hear of it, and it must not pass in silence: the process hears, once this connection is in order. */
function throwLater(thrown: unknown): void {
  queueMicrotask(() => {
    throw thrown;
  });
}
