import type { Flow } from "./room-class.ts";

/** Who has had less comes first, then who has waited longer. */
export const precedes = (a: Flow, b: Flow): boolean =>
  a.share.served !== b.share.served
    ? a.share.served < b.share.served
    : (a.first?.waiting.seq ?? 0) < (b.first?.waiting.seq ?? 0);

/** A binary heap of flows that know where they stand in it, so that any of them moves or leaves in O(log n). */
export class FlowHeap {
  readonly #flows: Flow[] = [];

  get first(): Flow | undefined {
    return this.#flows[0];
  }

  add(flow: Flow): void {
    this.#flows.push(flow);
    this.#rise(flow, this.#flows.length - 1);
  }

  remove(flow: Flow): void {
    const last = this.#flows.pop();
    if (last === undefined || last === flow) return;
    last.at = flow.at;
    this.#flows[flow.at] = last;
    this.moved(last);
  }

  /** What orders it has changed. */
  moved(flow: Flow): void {
    this.#rise(flow, flow.at);
    this.#sink(flow, flow.at);
  }

  #rise(flow: Flow, from: number): void {
    let at = from;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = this.#flows[up];
      if (parent === undefined || !precedes(flow, parent)) break;
      this.#put(parent, at);
      at = up;
    }
    this.#put(flow, at);
  }

  #sink(flow: Flow, from: number): void {
    let at = from;
    for (;;) {
      const left = this.#flows[2 * at + 1];
      const right = this.#flows[2 * at + 2];
      const child = left !== undefined && right !== undefined && precedes(right, left) ? right : left;
      if (child === undefined || !precedes(child, flow)) break;
      const down = child.at;
      this.#put(child, at);
      at = down;
    }
    this.#put(flow, at);
  }

  #put(flow: Flow, at: number): void {
    this.#flows[at] = flow;
    flow.at = at;
  }
}
