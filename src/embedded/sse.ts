import type { ServerResponse } from "node:http";
import type { Generation } from "./generation.ts";

/** A reader that takes nothing for so long is gone: its sequence is wanted by others. */
const STALL_MS = 60_000;

/**
 * A stream of server-sent events with back pressure: when the reader is slow, its own generations pause and nobody
 * else's. The head is sent with the first event, so that a failure before it can still have a status of its own.
 */
export class EventStream {
  readonly #response: ServerResponse;
  #generations: readonly Generation[] = [];
  #stall: NodeJS.Timeout | undefined;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  attach(generations: readonly Generation[]): void {
    this.#generations = generations;
  }

  get response(): ServerResponse {
    return this.#response;
  }

  /** Sends one or more complete events (`data: …\n\n`). */
  send(events: string): void {
    const response = this.#response;
    if (response.destroyed || response.writableEnded) return;
    if (!response.headersSent) {
      response.writeHead(200, {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache",
      });
    }
    if (response.write(events) || this.#stall !== undefined) return;
    for (const generation of this.#generations) generation.pause();
    this.#stall = setTimeout(() => response.destroy(), STALL_MS);
    response.once("close", () => clearTimeout(this.#stall));
    response.once("drain", () => {
      clearTimeout(this.#stall);
      this.#stall = undefined;
      for (const generation of this.#generations) generation.resume();
    });
  }

  end(events: string): void {
    this.send(events);
    this.#response.end();
  }
}
