import type { NoPlace, Waiter, Wanted } from "./admission.ts";
import { CLASSES, Crowd, displaced } from "./crowd.ts";
import { retryAfter } from "./free-rate.ts";
import { HeldPlace } from "./held-place.ts";
import { Room } from "./room.ts";
import type { Bound, Stay, Waiting } from "./waiting.ts";

export interface AdmissionRules {
  /** Requests that a service takes at a time, `ServiceView.parallel`; without limit where 0 or undefined. */
  readonly capacityOf: (service: string) => number | undefined;
  /** Requests that may wait for a service; only the total counts where undefined. */
  readonly queueLimitOf: (service: string) => number | undefined;
  /** Requests that may wait in all, `gateway.queue.limit`. */
  readonly queueLimit: number;
  /** A class that gets nothing counts one class higher for every so many milliseconds. */
  readonly ageing: number;
  /** Milliseconds of a clock that only grows. */
  readonly now: () => number;
}

/** Who asks for a place and cannot have one yet. */
export interface Arrival {
  readonly wanted: readonly Wanted[];
  readonly who: Waiter;
  readonly admitted: (place: HeldPlace) => void;
  readonly displaced: () => void;
}

/** Places and queues of all services. Acts only on what it is told, and has no timers: who gives up is taken out by `remove`. */
export class AdmissionCore {
  readonly #rules: AdmissionRules;
  readonly #rooms = new Map<string, Room>();
  readonly #crowd = new Crowd();
  #arrivals = 0;

  constructor(rules: AdmissionRules) {
    this.#rules = rules;
  }

  /** Requests that wait, at whatever service. */
  get waiting(): number {
    return this.#crowd.size;
  }

  /**
   * A place at once, or `undefined`. Nobody who could have it waits then: every place that becomes free is given to one
   * who waits before anybody new can ask.
   */
  tryEnter(wanted: Wanted): HeldPlace | undefined {
    const room = this.#rooms.get(wanted.service) ?? this.#open(wanted.service);
    const bound = wanted.bound === undefined ? undefined : room.boundOf(wanted.bound);
    if (!room.hasRoom(bound)) return undefined;
    room.took(bound, this.#rules.now);
    return new HeldPlace(this, room, bound);
  }

  /** Joins the queues of what is wanted, or says why not. One of its functions is called later, once, unless it is removed before. */
  join(arrival: Arrival): Waiting | NoPlace {
    const { wanted, who } = arrival;
    const priority = classOf(who.priority);
    const now = this.#rules.now();
    const rooms = wanted.map((one) => this.#rooms.get(one.service) ?? this.#open(one.service));
    const open = rooms.filter((room) => hasSeat(room, priority, who.key));
    const full = this.#crowd.size >= this.#rules.queueLimit;
    if (open.length === 0 || (full && displaced(this.#crowd, priority, who.key) === undefined)) {
      return this.#queueFull(rooms, priority);
    }
    for (const room of open) this.#makeWay(room, priority, who.key);
    if (this.#crowd.size >= this.#rules.queueLimit) {
      this.#displace(displaced(this.#crowd, priority, who.key));
    }
    const stays: Stay[] = [];
    const waiting: Waiting = {
      key: who.key,
      priority,
      seq: this.#arrivals++,
      stays,
      admitted: arrival.admitted,
      displaced: arrival.displaced,
      waits: true,
      before: undefined,
      after: undefined,
    };
    this.#crowd.add(waiting);
    for (const { service, bound: limit } of wanted) {
      const room = open.find((one) => one.service === service);
      if (room === undefined) continue;
      const bound = room.boundOf(limit);
      const stay: Stay = { waiting, room, bound, flow: undefined, before: undefined, after: undefined };
      stays.push(stay);
      room.add(stay, now);
    }
    return waiting;
  }

  /** Takes a waiter out of every queue; nothing where it does not wait any more. */
  remove(waiting: Waiting): void {
    if (!waiting.waits) return;
    waiting.waits = false;
    for (const stay of waiting.stays) stay.room.remove(stay);
    this.#crowd.remove(waiting);
  }

  /** A place has been left. */
  free(room: Room, bound: Bound | undefined): void {
    const now = this.#rules.now();
    room.left(bound, now);
    if (room.waiting > 0) this.#fill(room, now);
  }

  refresh(): void {
    const now = this.#rules.now();
    for (const [service, room] of this.#rooms) {
      room.capacity = this.#capacity(service);
      room.queueLimit = this.#queueLimit(service);
      if (room.waiting > 0) this.#fill(room, now);
      else if (room.running === 0 && !this.#isLimited(room)) this.#rooms.delete(service);
    }
  }

  load(service: string): { readonly running: number; readonly waiting: number } {
    const room = this.#rooms.get(service);
    return { running: room?.running ?? 0, waiting: room?.waiting ?? 0 };
  }

  /** Whole seconds until a newcomer would likely have a place at one of these, by how fast places became free lately. */
  retryAfter(services: readonly string[], priority: number): number {
    return this.#retryAfter(
      services.flatMap((service) => this.#rooms.get(service) ?? []),
      classOf(priority),
    );
  }

  /** Gives free places to who is next, until there is none or nobody may have it. */
  #fill(room: Room, now: number): void {
    for (let stay = room.next(now); stay !== undefined; stay = room.next(now)) {
      const { waiting, bound } = stay;
      room.serve(stay, now);
      this.remove(waiting);
      room.took(bound, this.#rules.now);
      waiting.admitted(new HeldPlace(this, room, bound));
    }
  }

  /** Takes somebody out of a full queue who has less right to it than the newcomer. */
  #makeWay(room: Room, priority: number, key: string): void {
    if (room.waiting < room.queueLimit) return;
    const victim = displaced(room, priority, key);
    const at = victim?.stays.findIndex((stay) => stay.room === room) ?? -1;
    const [stay] = at < 0 ? [] : (victim?.stays.splice(at, 1) ?? []);
    if (stay !== undefined) room.remove(stay);
    // It may still wait elsewhere.
    if (victim?.stays.length === 0) this.#displace(victim);
  }

  #displace(victim: Waiting | undefined): void {
    if (victim === undefined) return;
    this.remove(victim);
    victim.displaced();
  }

  #queueFull(rooms: readonly Room[], priority: number): NoPlace {
    const shown = rooms
      .map((room) => `${room.waiting} wait for "${room.service}", which answers ${room.running} at a time`)
      .join("; ");
    const limits = rooms.filter((room) => room.waiting >= room.queueLimit).map((room) => room.queueLimit);
    const limit =
      limits.length === rooms.length && limits.length > 0
        ? `at most ${Math.max(...limits)} may wait there`
        : `${this.#crowd.size} wait in all, and at most ${this.#rules.queueLimit} may`;
    return {
      status: 429,
      code: "queue_full",
      message: `The queue is full: ${shown}; ${limit}.`,
      retryAfter: this.#retryAfter(rooms, priority),
    };
  }

  #retryAfter(rooms: readonly Room[], priority: number): number {
    const now = this.#rules.now();
    let rate = 0;
    let ahead = Number.POSITIVE_INFINITY;
    for (const room of rooms) {
      rate += room.rate.perMillisecond(now);
      ahead = Math.min(ahead, room.ahead(priority));
    }
    return rooms.length === 0 ? 1 : retryAfter(ahead + 1, rate);
  }

  #open(service: string): Room {
    const room = new Room(service, this.#capacity(service), this.#queueLimit(service), this.#rules.ageing);
    this.#rooms.set(service, room);
    return room;
  }

  /** A room without limits is as good as a new one once it is empty: services that went away are forgotten. */
  #isLimited({ capacity, queueLimit }: Room): boolean {
    return Number.isFinite(capacity) || Number.isFinite(queueLimit);
  }

  #capacity(service: string): number {
    const capacity = this.#rules.capacityOf(service) ?? 0;
    return capacity > 0 ? capacity : Number.POSITIVE_INFINITY;
  }

  #queueLimit(service: string): number {
    return this.#rules.queueLimitOf(service) ?? Number.POSITIVE_INFINITY;
  }
}

const classOf = (priority: number): number => Math.min(CLASSES - 1, Math.max(0, Math.trunc(priority) || 0));

/** True when one more may wait there, if need be because another gives way. */
const hasSeat = (room: Room, priority: number, key: string): boolean =>
  room.waiting < room.queueLimit || displaced(room, priority, key) !== undefined;
