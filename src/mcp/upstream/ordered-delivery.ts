import type { JSONRPCMessage } from "@modelcontextprotocol/client";

/**
 * Hands messages to the SDK in their order. It hears a notification one turn of the microtasks later than an answer: the
 * last progress of a call, read in one chunk with its answer, would find nobody. So what follows a notification waits for
 * that turn.
 */
export class OrderedDelivery {
  readonly #deliver: (message: JSONRPCMessage) => void;
  readonly #queue: JSONRPCMessage[] = [];
  #waits = false;

  constructor(deliver: (message: JSONRPCMessage) => void) {
    this.#deliver = deliver;
  }

  push(message: JSONRPCMessage): void {
    if (this.#waits) this.#queue.push(message);
    else this.#hand(message);
  }

  #hand(message: JSONRPCMessage): void {
    this.#deliver(message);
    if ("id" in message) return;
    this.#waits = true;
    queueMicrotask(() => {
      this.#waits = false;
      while (!this.#waits) {
        const next = this.#queue.shift();
        if (next === undefined) return;
        this.#hand(next);
      }
    });
  }
}
