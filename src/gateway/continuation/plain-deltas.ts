import type { EngineDialect } from "../../engines/surface.ts";
import type { SaidSoFar } from "./continuation.ts";
import { DeltaShape } from "./delta-shape.ts";

const LF = 0x0a;
const CR = 0x0d;
/** Events in a row that have no shape, after which only now and then one is learned from: each may differ from the last. */
const MANY_MISSES = 16;
const NOW_AND_THEN = 256;

/** Knows the events of a stream that say one piece of text and nothing else, once it has learned how its engine writes them. */
export class PlainDeltas {
  readonly #lane: EngineDialect;
  #shape: DeltaShape | undefined;
  /** Times that bytes were no such events, since the last that were. */
  #misses = 0;

  constructor(lane: EngineDialect) {
    this.#lane = lane;
  }

  /** Whether the bytes from `from` to `end` are nothing but whole such events; their texts are remembered then. */
  take(bytes: Buffer, from: number, end: number, said: SaidSoFar | undefined): boolean {
    const shape = this.#shape;
    if (shape === undefined) return false;
    for (let at = from; at < end;) {
      at = shape.endOf(bytes, at, end);
      if (at < 0) return false;
    }
    this.#misses = 0;
    said?.seeDeltas(shape, bytes, from, end);
    return true;
  }

  /** Learns from the last of events that were looked at closely and hold no count, no end and no error. */
  learn(events: Buffer): void {
    this.#misses++;
    if (this.#misses > MANY_MISSES && this.#misses % NOW_AND_THEN !== 0) return;
    const event = events.toString("latin1", lastEventStart(events), events.length);
    this.#shape = DeltaShape.of(this.#lane, event) ?? this.#shape;
  }
}

/** Behind the blank line before the last event of bytes that end with one. */
function lastEventStart(events: Buffer): number {
  for (let at = events.length - 3; at > 0; at--) {
    if (events[at - 1] !== LF) continue;
    if (events[at] === LF) return at + 1;
    if (events[at] === CR && events[at + 1] === LF && at + 2 < events.length) return at + 2;
  }
  return 0;
}
