import type { Place } from "./admission.ts";
import type { Room } from "./room.ts";
import type { Bound } from "./waiting.ts";

/** Who takes a place back. */
export interface PlaceKeeper {
  free(room: Room, bound: Bound | undefined): void;
}

/** A place that a request has. */
export class HeldPlace implements Place {
  readonly service: string;
  readonly #keeper: PlaceKeeper;
  readonly #bound: Bound | undefined;
  #room: Room | undefined;

  constructor(keeper: PlaceKeeper, room: Room, bound: Bound | undefined) {
    this.service = room.service;
    this.#keeper = keeper;
    this.#room = room;
    this.#bound = bound;
  }

  leave(): void {
    const room = this.#room;
    if (room === undefined) return;
    this.#room = undefined;
    this.#keeper.free(room, this.#bound);
  }
}
