import { FlowHeap, precedes } from "./flow-heap.ts";
import type { Bound, Stay, Waiting } from "./waiting.ts";

/** What one key has had and still waits for, in one class at one service. */
interface Share {
  readonly key: string;
  /** Virtual time: places that it got, counted from where the others stood when it came. */
  served: number;
  waiting: number;
  readonly flows: Flow[];
}

/** Waiters of one key under one route's bound, in order of arrival. */
export interface Flow {
  readonly share: Share;
  readonly lane: Lane;
  first: Stay | undefined;
  last: Stay | undefined;
  /** Where it stands in the heap of its lane. */
  at: number;
}

/** Waiters under one route's bound; who has no bound waits in a lane without. */
interface Lane {
  readonly bound: Bound | undefined;
  readonly heap: FlowHeap;
}

/**
 * The waiters of one priority at one service. Among them the key that had the fewest places is next (start-time fair
 * queueing with requests of equal cost, Goyal, Vin and Cheng 1996): a key that comes new counts from where the last one
 * served stood, so that it waits for at most one request of each other key, however many these have waiting.
 */
export class RoomClass {
  /** When it last got a place, or began to wait. */
  since = 0;
  waiting = 0;
  #virtual = 0;
  readonly #shares = new Map<string, Share>();
  readonly #lanes = new Map<Bound | undefined, Lane>();

  add(stay: Stay, now: number): void {
    if (this.waiting++ === 0) this.since = now;
    const share = this.#shareOf(stay.waiting.key);
    if (share.waiting++ === 0) share.served = Math.max(share.served, this.#virtual);
    const flow = share.flows.find((one) => one.lane.bound === stay.bound) ?? this.#newFlow(share, stay.bound);
    stay.flow = flow;
    stay.before = flow.last;
    if (flow.last !== undefined) flow.last.after = stay;
    flow.last = stay;
    if (flow.first === undefined) {
      flow.first = stay;
      flow.lane.heap.add(flow);
    }
  }

  remove(stay: Stay): void {
    const { flow, before, after } = stay;
    if (flow === undefined) return;
    stay.flow = undefined;
    if (before === undefined) flow.first = after;
    else before.after = after;
    if (after === undefined) flow.last = before;
    else after.before = before;
    flow.share.waiting--;
    this.waiting--;
    if (flow.first === undefined) {
      flow.lane.heap.remove(flow);
      flow.share.flows.splice(flow.share.flows.indexOf(flow), 1);
      if (flow.lane.heap.first === undefined) this.#lanes.delete(flow.lane.bound);
    } else if (before === undefined) flow.lane.heap.moved(flow);
    // Nobody waits: nobody has a claim from before either, and nothing is remembered.
    if (this.waiting === 0) {
      this.#shares.clear();
      this.#virtual = 0;
    }
  }

  /** Who is next, of those whose route may have one more here. */
  next(): Stay | undefined {
    let best: Flow | undefined;
    for (const { bound, heap } of this.#lanes.values()) {
      const flow = heap.first;
      if (flow === undefined || (bound !== undefined && bound.running >= bound.limit)) continue;
      if (best === undefined || precedes(flow, best)) best = flow;
    }
    return best?.first;
  }

  /** Tells that this waiter is about to get a place here: to be called before it is removed. */
  serve(stay: Stay, now: number): void {
    const share = stay.flow?.share;
    if (share === undefined) return;
    this.since = now;
    this.#virtual = Math.max(this.#virtual, share.served);
    share.served++;
    for (const flow of share.flows) flow.lane.heap.moved(flow);
  }

  /** How many of this key wait. */
  waitingOf(key: string): number {
    return this.#shares.get(key)?.waiting ?? 0;
  }

  /** The newest waiter of the key that has most waiting, and how many these are. */
  crowding(): { readonly waiting: Waiting; readonly count: number } | undefined {
    let most: Share | undefined;
    for (const share of this.#shares.values()) if (share.waiting > (most?.waiting ?? 0)) most = share;
    if (most === undefined) return undefined;
    let newest: Stay | undefined;
    for (const { last } of most.flows) {
      if (last !== undefined && last.waiting.seq > (newest?.waiting.seq ?? -1)) newest = last;
    }
    return newest === undefined ? undefined : { waiting: newest.waiting, count: most.waiting };
  }

  #shareOf(key: string): Share {
    let share = this.#shares.get(key);
    if (share === undefined) {
      share = { key, served: 0, waiting: 0, flows: [] };
      this.#shares.set(key, share);
    }
    return share;
  }

  #newFlow(share: Share, bound: Bound | undefined): Flow {
    let lane = this.#lanes.get(bound);
    if (lane === undefined) {
      lane = { bound, heap: new FlowHeap() };
      this.#lanes.set(bound, lane);
    }
    const flow: Flow = { share, lane, first: undefined, last: undefined, at: 0 };
    share.flows.push(flow);
    return flow;
  }
}
