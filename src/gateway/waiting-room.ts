import type { Backends } from "../supervisor/backends.ts";
import type { Outlet } from "./outlet.ts";
import { describe } from "./service-wait.ts";

/** How often the client of a stream hears that its model still loads, ms. */
const COMMENT_EVERY = 5_000;

/**
 * Keeps the client of a stream company while its model loads: after a while the head is sent, then comments that say how
 * far the loading is. Clients of event streams skip comments; proxies between see that the connection lives.
 */
export class WaitingRoom {
  readonly #outlet: Outlet;
  readonly #head: () => string[];
  readonly #say: () => string;
  #timer: NodeJS.Timeout | undefined;

  /** Nothing is sent before `after` ms. `head` gives the flat headers of the answer. */
  constructor(outlet: Outlet, after: number, head: () => string[], say: () => string) {
    this.#outlet = outlet;
    this.#head = head;
    this.#say = say;
    this.#timer = setTimeout(() => this.#comment(), after);
  }

  leave(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #comment(): void {
    if (this.#outlet.destroyed) return;
    if (!this.#outlet.headersSent) {
      this.#outlet.writeHead(200, [
        "content-type",
        "text/event-stream; charset=utf-8",
        "cache-control",
        "no-cache",
        ...this.#head(),
      ]);
    }
    // A line break in a reason would end the comment and begin an event.
    this.#outlet.write(`: ${this.#say().replaceAll(/[\r\n]+/g, " ")}\n\n`);
    this.#timer = setTimeout(() => this.#comment(), COMMENT_EVERY);
  }
}

/** Who is waited for and how far that is, for a comment. */
export function waitingLine(backends: Backends, services: readonly string[]): string {
  const views = backends.services().filter((view) => services.includes(view.name));
  return `waiting: ${views.map(describe).join("; ")}`;
}
