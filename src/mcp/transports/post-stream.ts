import type { RequestId } from "@modelcontextprotocol/server";

import type { EventBuffer } from "./event-buffer.ts";
import type { Exchange } from "./exchange.ts";

/** The answer to one POST of a session: JSON while there are only answers, a stream of events with anything before them. */
export class PostStream {
  readonly number: number;
  /** Requests of the POST that are not answered. */
  readonly pending: Set<RequestId>;
  readonly #buffer: EventBuffer;
  readonly #batch: boolean;
  readonly #answers: string[] = [];
  #exchange: Exchange | undefined;
  #resumable = false;

  constructor(
    number: number,
    exchange: Exchange,
    buffer: EventBuffer,
    pending: Iterable<RequestId>,
    how: { readonly batch: boolean; readonly primes: boolean },
  ) {
    this.number = number;
    this.pending = new Set(pending);
    this.#buffer = buffer;
    this.#batch = how.batch;
    this.#exchange = exchange;
    exchange.onStream = () => {
      if (!how.primes) return;
      this.#resumable = true;
      exchange.prime(buffer.next(number));
    };
  }

  /** Whether its client can come back for what is still to be said. */
  get resumable(): boolean {
    return this.#resumable;
  }

  /** The client's connection broke. */
  detach(): void {
    this.#exchange = undefined;
  }

  /** The client came back. */
  attach(exchange: Exchange): void {
    this.#exchange?.destroy();
    this.#exchange = exchange;
  }

  /** Sends what belongs to one of its requests but is not its answer. */
  send(text: string): void {
    this.#exchange?.stream();
    this.#resumable = true;
    const id = this.#buffer.add(this.number, text);
    this.#exchange?.event(text, id);
  }

  /** Sends an answer; true when it was the last. */
  answer(id: RequestId, text: string): boolean {
    this.pending.delete(id);
    if (this.#exchange === undefined || this.#exchange.streaming) {
      for (const waiting of this.#answers.splice(0)) this.send(waiting);
      if (this.#resumable || this.#exchange !== undefined) this.send(text);
    } else this.#answers.push(text);
    if (this.pending.size > 0) return false;
    this.finish();
    return true;
  }

  /** Ends it; answers that there are go out, and a client that cancelled all it asked gets none. */
  finish(): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    if (exchange === undefined || exchange.done) return;
    if (exchange.streaming || this.#answers.length === 0) exchange.end();
    else exchange.json(200, this.#batch ? `[${this.#answers.join(",")}]` : (this.#answers[0] ?? ""));
  }

  /** Breaks it off. */
  destroy(): void {
    this.#exchange?.end();
    this.#exchange = undefined;
  }
}
