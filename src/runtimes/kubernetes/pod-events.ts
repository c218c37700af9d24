import type { PodEvent } from "./pod-event.ts";

/**
 * Tells each event once, and one that is repeated each time its count has doubled: a probe that fails every ten seconds
 * of a long load must not push the engine's own words out.
 */
export class PodEvents {
  readonly #tell: (words: string, warning: boolean) => void;
  readonly #counts = new Map<string, number>();
  readonly #pods = new Set<string>();

  constructor(tell: (words: string, warning: boolean) => void) {
    this.#tell = tell;
  }

  /** A pod of ours that is seen for the first time may have been spoken of before. */
  known(pod: string, events: readonly PodEvent[]): void {
    if (this.#pods.has(pod)) return;
    this.#pods.add(pod);
    for (const event of events) if (event.pod === pod) this.take(event);
  }

  take(event: PodEvent): void {
    const told = this.#counts.get(event.uid) ?? 0;
    if (event.count < told * 2 || event.count === told) return;
    this.#counts.set(event.uid, event.count);
    const times = event.count > 1 ? ` (${event.count} times)` : "";
    this.#tell(`${event.reason}: ${event.message}${times}`, event.warning);
  }
}
