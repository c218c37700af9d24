import type { Wanted } from "./admission.ts";
import type { Crowded } from "./crowd.ts";
import { CLASSES } from "./crowd.ts";
import { FreeRate } from "./free-rate.ts";
import { RoomClass } from "./room-class.ts";
import type { Bound, Stay, Waiting } from "./waiting.ts";

const HIGHEST = CLASSES - 1;

/** One service: who is in it and who waits for it. */
export class Room implements Crowded {
  readonly service: string;
  /** Places; infinite where the engine has no limit that Omni knows. */
  capacity: number;
  queueLimit: number;
  running = 0;
  waiting = 0;
  readonly rate = new FreeRate();
  readonly #ageing: number;
  readonly #bounds = new Map<string, Bound>();
  readonly #classes: (RoomClass | undefined)[] = Array.from({ length: CLASSES });

  /** A class that gets nothing counts one higher for every `ageing` ms. */
  constructor(service: string, capacity: number, queueLimit: number, ageing: number) {
    this.service = service;
    this.capacity = capacity;
    this.queueLimit = queueLimit;
    this.#ageing = ageing;
  }

  /** The counter of a route's bound here. The newest limit holds: it may have changed with the spec. */
  boundOf(bound: Wanted["bound"]): Bound | undefined {
    if (bound === undefined) return undefined;
    let counted = this.#bounds.get(bound.route);
    if (counted === undefined) {
      counted = { limit: bound.limit, running: 0 };
      this.#bounds.set(bound.route, counted);
    }
    counted.limit = bound.limit;
    return counted;
  }

  hasRoom(bound: Bound | undefined): boolean {
    return this.running < this.capacity && (bound === undefined || bound.running < bound.limit);
  }

  took(bound: Bound | undefined, now: () => number): void {
    if (this.running++ === 0) this.rate.busy(now());
    if (bound !== undefined) bound.running++;
  }

  left(bound: Bound | undefined, now: number): void {
    this.running--;
    if (bound !== undefined) bound.running--;
    this.rate.freed(now, this.running === 0);
  }

  add(stay: Stay, now: number): void {
    const { priority } = stay.waiting;
    (this.#classes[priority] ??= new RoomClass()).add(stay, now);
    this.waiting++;
  }

  remove(stay: Stay): void {
    if (stay.flow === undefined) return;
    this.#classes[stay.waiting.priority]?.remove(stay);
    this.waiting--;
  }

  /**
   * Who gets the place that is free, if anybody may have it. The highest class is served first, where a class rises by
   * one for every `ageing` ms in which it got nothing here, up to the highest; of equals the one comes first that got
   * nothing for longer. So the lowest class gets a place at least once in 9 × `ageing` and a place of each other class,
   * and the highest is disturbed by no more than that.
   */
  next(now: number): Stay | undefined {
    if (this.waiting === 0 || this.running >= this.capacity) return undefined;
    let best: Stay | undefined;
    let bestClass = -1;
    let bestSince = 0;
    for (let priority = HIGHEST; priority >= 0; priority--) {
      const one = this.#classes[priority];
      if (one === undefined || one.waiting === 0) continue;
      const risen = Math.min(HIGHEST, priority + Math.floor((now - one.since) / this.#ageing));
      if (risen < bestClass || (risen === bestClass && one.since >= bestSince)) continue;
      const stay = one.next();
      if (stay === undefined) continue;
      best = stay;
      bestClass = risen;
      bestSince = one.since;
    }
    return best;
  }

  /** Tells that this waiter gets the place; it is still in the queue. */
  serve(stay: Stay, now: number): void {
    this.#classes[stay.waiting.priority]?.serve(stay, now);
  }

  /** How many wait here who are served before a newcomer of this class. */
  ahead(priority: number): number {
    let ahead = 0;
    for (let one = priority; one <= HIGHEST; one++) ahead += this.#classes[one]?.waiting ?? 0;
    return ahead;
  }

  waitingOf(priority: number, key: string): number {
    return this.#classes[priority]?.waitingOf(key) ?? 0;
  }

  crowding(priority: number): { readonly waiting: Waiting; readonly count: number } | undefined {
    return this.#classes[priority]?.crowding();
  }
}
