import type { EventLog, NodeEvent } from "../../core/index.ts";
import { EVENTS_URI, HEALTH_URI } from "./node-resources.ts";

/** Milliseconds between two notices of one resource: what happens meanwhile is in the next one. */
const PAUSE = 1000;

/** Which resource an event changes. */
const CHANGES: Readonly<Record<string, (event: NodeEvent) => boolean>> = {
  [EVENTS_URI]: () => true,
  [HEALTH_URI]: ({ kind, service }) => service !== undefined || !kind.startsWith("request."),
};

/** Tells of changes of watched resources, from the events of the node; nothing is subscribed to while nobody watches. */
export class ResourceWatch {
  readonly #events: Pick<EventLog, "subscribe">;
  readonly #changed: (uri: string) => void;
  readonly #pause: number;
  readonly #watched = new Set<string>();
  /** Resources told of lately, and whether they have changed since. */
  readonly #told = new Map<string, { readonly timer: NodeJS.Timeout; again: boolean }>();
  #unsubscribe: (() => void) | undefined;

  constructor(events: Pick<EventLog, "subscribe">, changed: (uri: string) => void, pause = PAUSE) {
    this.#events = events;
    this.#changed = changed;
    this.#pause = pause;
  }

  watch(uri: string): void {
    if (!(uri in CHANGES)) return;
    this.#watched.add(uri);
    this.#unsubscribe ??= this.#events.subscribe((event) => {
      for (const watched of this.#watched) if (CHANGES[watched]?.(event) === true) this.#tell(watched);
    });
  }

  unwatch(uri: string): void {
    this.#watched.delete(uri);
    this.#forget(uri);
    if (this.#watched.size > 0) return;
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  close(): void {
    for (const uri of this.#watched) this.unwatch(uri);
  }

  #tell(uri: string): void {
    const told = this.#told.get(uri);
    if (told !== undefined) {
      told.again = true;
      return;
    }
    const timer = setTimeout(() => {
      const again = this.#told.get(uri)?.again === true;
      this.#forget(uri);
      if (again && this.#watched.has(uri)) this.#tell(uri);
    }, this.#pause).unref();
    this.#told.set(uri, { timer, again: false });
    this.#changed(uri);
  }

  #forget(uri: string): void {
    clearTimeout(this.#told.get(uri)?.timer);
    this.#told.delete(uri);
  }
}
