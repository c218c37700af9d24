import type { EngineDialect } from "../../engines/surface.ts";
import type { Said, SaidSoFar } from "./continuation.ts";
import { DeltaShape } from "./delta-shape.ts";
import { eventsIn } from "./event-data.ts";
import { asList } from "./fields.ts";
import { SaidEvents } from "./said-events.ts";

/** Bytes of events that are kept as they are before they are reduced to what they say. */
const MOST_RAW = 32 * 1024;
/** Characters of an answer beyond which it is forgotten: a cut then ends it. */
const MOST_CHARACTERS = 4 * 2 ** 20;

/**
 * Remembers a stream. An event costs one copy into a string of single bytes; what it says is read when 32 KiB have come
 * together or a cut happens, and then mostly by its shape, without parsing.
 */
class RememberedStream implements SaidSoFar {
  readonly #lane: EngineDialect;
  #raw = "";
  #events: SaidEvents | undefined;
  #shape: DeltaShape | undefined;
  /** Events since the last one that had the shape. */
  #misses = 0;
  #lost = false;

  constructor(lane: EngineDialect) {
    this.#lane = lane;
  }

  see(events: Buffer): void {
    if (this.#lost) return;
    this.#raw += events.toString("latin1");
    if (this.#raw.length > MOST_RAW) this.#reduce();
  }

  read(): Said | undefined {
    if (!this.#lost) this.#reduce();
    return this.#lost ? undefined : (this.#events ?? new SaidEvents(this.#lane)).said;
  }

  get held(): number {
    return this.#raw.length + 2 * (this.#events?.characters ?? 0);
  }

  #reduce(): void {
    const raw = this.#raw;
    if (raw === "") return;
    this.#raw = "";
    const events = (this.#events ??= new SaidEvents(this.#lane));
    const understood = raw.includes("\r") ? addAll(events, utf8(raw)) : this.#addByShape(events, raw);
    if (!understood || events.characters > MOST_CHARACTERS) this.#forget();
  }

  #forget(): void {
    this.#lost = true;
    this.#raw = "";
    this.#events = undefined;
    this.#shape = undefined;
  }

  #addByShape(events: SaidEvents, raw: string): boolean {
    const run: string[] = [];
    for (let start = 0; start < raw.length;) {
      const blank = raw.indexOf("\n\n", start);
      const end = blank < 0 ? raw.length : blank + 2;
      const text = this.#shape?.textIn(raw, start, end);
      if (text === undefined) {
        const event = raw.slice(start, end);
        if (!this.#addRun(events, run) || !addAll(events, utf8(event))) return false;
        this.#learn(event);
      } else {
        run.push(text);
        this.#misses = 0;
      }
      start = end;
    }
    return this.#addRun(events, run);
  }

  /** Texts as they stood in their events, escapes and all; false when they are no JSON. Empties the list. */
  #addRun(events: SaidEvents, run: string[]): boolean {
    if (run.length === 0 || this.#shape === undefined) return true;
    const text = parseRun(run);
    if (text === undefined) return false;
    events.addRun(this.#shape.kind, text, run.length);
    run.length = 0;
    return true;
  }

  /** Events that differ in more than their text, each from the last, have no shape: that is looked for less and less. */
  #learn(event: string): void {
    this.#misses++;
    if (this.#misses < 16 || this.#misses % 256 === 0) {
      this.#shape = DeltaShape.of(this.#lane, event) ?? this.#shape;
    }
  }
}

/**
 * The text of a run of quoted texts; `undefined` when they are no JSON. Beyond ASCII each is read by itself: bytes that
 * are no character in one event must not become one together with those of the next.
 */
function parseRun(run: readonly string[]): string | undefined {
  const ascii = `"${run.join("")}"`;
  try {
    const parsed: unknown = JSON.parse(BEYOND_ASCII.test(ascii) ? utf8(`["${run.join('","')}"]`) : ascii);
    return typeof parsed === "string" ? parsed : asList(parsed).join("");
  } catch {
    return undefined;
  }
}

const BEYOND_ASCII = /[\x80-\xff]/;

function addAll(events: SaidEvents, text: string): boolean {
  for (const { data } of eventsIn(text)) if (!events.add(data)) return false;
  return true;
}

const utf8 = (bytes: string): string => Buffer.from(bytes, "latin1").toString("utf8");

/** A memory for one stream in the dialect of the engines that answer it. */
export const createSaidSoFar = (lane: EngineDialect): SaidSoFar => new RememberedStream(lane);
