import { z } from "zod";

import type { JsonObject, StreamTranslator, WireError } from "../dialects/index.ts";
import { SseReader } from "../dialects/index.ts";
import type { EngineDialect } from "../engines/index.ts";
import type { SaidSoFar } from "./continuation/continuation.ts";
import { createSaidSoFar, PlainDeltas } from "./continuation/index.ts";
import { lookOver, TELLING } from "./event-look.ts";
import { StreamWatch, withoutUsageEvents } from "./stream-watch.ts";
import type { Usage } from "./usage.ts";

const LAST_RESPONSE = /(?:^|\n)data: ?(\{"type":"response\.(?:completed|incomplete)".*\})\n/;
const lastEvent = z.object({ response: z.record(z.string(), z.unknown()) });

interface OutflowOptions {
  /** Dialect of the first engine that answered: what later engines say is brought into it. */
  readonly lane: EngineDialect | undefined;
  /** Turns the lane into the client's dialect, where that is another. */
  readonly translator: StreamTranslator | undefined;
  readonly usageIsOurs: boolean;
  /** The client's request in the lane's dialect. */
  readonly laneBody: () => JsonObject;
  /** Called with the whole response once it is said, of streams of responses. */
  readonly remember?: (answer: JsonObject) => void;
  /** False where a cut answer is not to be continued anyway. */
  readonly remembers: boolean;
  readonly eventBytes: number;
}

/** What the client has of one stream, over all engines that had a part in it. */
export class Outflow {
  readonly lane: EngineDialect | undefined;
  readonly usageIsOurs: boolean;
  /** What was said, to go on from; absent where nothing is to be continued. */
  readonly said: SaidSoFar | undefined;
  /** The head or more went out. */
  committed = false;
  /** The last bytes that went out were a part of an event that is larger than the limit. */
  torn = false;
  /** Once a part of an event went out, the rest cannot be known to be whole. */
  wasTorn = false;
  readonly laneBody: () => JsonObject;
  readonly #remember: ((answer: JsonObject) => void) | undefined;
  readonly #watch: StreamWatch;
  readonly #plain: PlainDeltas | undefined;
  readonly #translator: StreamTranslator | undefined;
  readonly #reader: SseReader | undefined;
  #marks = "";

  constructor(options: OutflowOptions) {
    const { lane, translator, usageIsOurs, remembers, eventBytes } = options;
    this.lane = lane;
    this.laneBody = options.laneBody;
    this.#remember = options.remember;
    this.usageIsOurs = usageIsOurs;
    this.said = remembers && lane !== undefined ? createSaidSoFar(lane) : undefined;
    this.#watch = new StreamWatch(lane === "messages");
    this.#plain = lane === undefined ? undefined : new PlainDeltas(lane);
    this.#translator = translator;
    this.#reader = translator === undefined ? undefined : new SseReader(eventBytes);
  }

  /**
   * Whether the bytes from `from` to `end` are nothing but whole deltas of the lane such as it has passed before: these count
   * nothing, end nothing, and are in order. They are remembered then, and go out as they are, or `translated`.
   */
  takesDeltas(bytes: Buffer, from: number, end: number): boolean {
    return !this.wasTorn && this.#plain?.take(bytes, from, end, this.said) === true;
  }

  /** What the client is sent for whole events of the lane; `seen` is what a look over them told. */
  pass(events: Buffer, seen = lookOver(events)): Buffer {
    this.#watch.see(events, seen);
    this.said?.see(events);
    if ((seen & TELLING) === 0 && !this.wasTorn) this.#plain?.learn(events);
    if (this.#translator !== undefined) return this.translated(events);
    return this.usageIsOurs ? withoutUsageEvents(events, seen) : events;
  }

  /** Whole events of the lane in the client's dialect; nothing of the bytes is kept. */
  translated(events: Buffer): Buffer {
    if (this.#translator === undefined || this.#reader === undefined) return events;
    let out = "";
    for (const event of this.#reader.push(events)) out += this.#translator.event(event.data, event.event);
    this.#tell(out);
    return Buffer.from(out);
  }

  /** The event that tells the client that this is not all; `undefined` where no translator knows how. */
  error(error: WireError): string | undefined {
    return this.#translator?.error(error);
  }

  /** Leaves a comment behind the last event: what happened to this stream on its way. */
  mark(comment: string): void {
    this.#marks += comment;
  }

  /** What the client is still owed at an end in good order. */
  end(): string {
    const last = this.#translator?.end() ?? "";
    this.#tell(last);
    return last + this.#marks;
  }

  /** The last event of a stream of responses holds the whole of it. */
  #tell(out: string): void {
    const found = this.#remember === undefined ? null : LAST_RESPONSE.exec(out);
    if (found?.[1] === undefined) return;
    const { response } = lastEvent.parse(JSON.parse(found[1]));
    this.#remember?.(response);
  }

  /** The rest of a stream that the engine ended without a blank line. */
  seeRest(rest: Buffer): void {
    this.#watch.see(rest);
  }

  get translates(): boolean {
    return this.#translator !== undefined;
  }

  get usage(): Usage | undefined {
    return this.#watch.usage;
  }

  get whole(): boolean {
    return this.#watch.whole || this.lane === undefined;
  }

  /** The engine's last word has been passed on. */
  get done(): boolean {
    return this.#watch.done;
  }
}
