import type { Server } from "node:http";

import type { OpenExchanges } from "./open-exchanges.ts";

const IDLE_CHECK = 50;
const LAST_WORDS = 250;
/** Node fires longer timers at once. */
const LONGEST_TIMER = 2 ** 31 - 1 - LAST_WORDS;

/**
 * The end of a server, in the order streams, then HTTP: nothing new is accepted, answers in flight may finish until
 * the deadline, what is left then is ended as cut, and a moment later every connection is closed.
 */
export class Drain {
  /** Resolves once no connection is left. */
  readonly done: Promise<void>;
  readonly #server: Server;
  readonly #open: OpenExchanges;
  #deadline = Number.POSITIVE_INFINITY;
  #over: boolean;
  #cut: NodeJS.Timeout | undefined;
  #destroy: NodeJS.Timeout | undefined;

  constructor(server: Server, open: OpenExchanges) {
    this.#server = server;
    this.#open = open;
    this.#over = !server.listening;
    this.done = server.listening ? this.#close() : Promise.resolve();
  }

  /** Allows `time` more milliseconds; a later call can only shorten what an earlier one allowed. */
  within(time: number): void {
    const deadline = performance.now() + time;
    if (this.#over || deadline >= this.#deadline) return;
    this.#deadline = deadline;
    clearTimeout(this.#cut);
    clearTimeout(this.#destroy);
    const left = Math.min(time, LONGEST_TIMER);
    this.#cut = setTimeout(() => {
      for (const exchange of this.#open) exchange.stop();
    }, left);
    this.#destroy = setTimeout(() => this.#server.closeAllConnections(), left + LAST_WORDS);
  }

  async #close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // Node ends the connections that are idle now, not those that become idle later.
    const idle = setInterval(() => this.#server.closeIdleConnections(), IDLE_CHECK);
    await closed;
    this.#over = true;
    clearInterval(idle);
    clearTimeout(this.#cut);
    clearTimeout(this.#destroy);
  }
}
