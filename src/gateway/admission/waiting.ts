import type { HeldPlace } from "./held-place.ts";
import type { Flow } from "./room-class.ts";
import type { Room } from "./room.ts";

/** How many requests of one route a service may have at a time. */
export interface Bound {
  limit: number;
  running: number;
}

/** One who waits, in the queues of all the services that it wants at once. */
export interface Waiting {
  readonly key: string;
  readonly priority: number;
  /** Order of arrival. */
  readonly seq: number;
  /** One for each service that it waits at, first choice first. */
  readonly stays: Stay[];
  readonly admitted: (place: HeldPlace) => void;
  /** It had to give way, because the queue is full and another has more right to a place in it. */
  readonly displaced: () => void;
  /** Neither admitted, displaced nor gone yet. */
  waits: boolean;
  /** Neighbours among those of its key and class, in order of arrival. */
  before: Waiting | undefined;
  after: Waiting | undefined;
}

/** A waiter in the queue of one service. */
export interface Stay {
  readonly waiting: Waiting;
  readonly room: Room;
  readonly bound: Bound | undefined;
  flow: Flow | undefined;
  before: Stay | undefined;
  after: Stay | undefined;
}
