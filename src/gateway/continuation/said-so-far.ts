import type { EngineDialect } from "../../engines/surface.ts";
import type { Said, SaidSoFar } from "./continuation.ts";
import type { DeltaShape, Kind } from "./delta-shape.ts";
import { textEnd } from "./delta-shape.ts";
import { eventsIn } from "./event-data.ts";
import { asText } from "./fields.ts";
import { SaidEvents } from "./said-events.ts";

/** Bytes that are kept as they came before they are reduced to what they say. */
const MOST_RAW = 32 * 1024;
/** Bytes of texts that one memory takes before they are read. */
const MOST_TEXTS = 2048;
/** So few lie within the heap, for a quarter of the memory: many streams say little, or wait. */
const FIRST_TEXTS = 64;
/** Characters of an answer beyond which it is forgotten: a cut then ends it. */
const MOST_CHARACTERS = 4 * 2 ** 20;
/** Bytes up to which a loop copies quicker than a native call. */
const FEW = 48;
/** Stands behind each text: bytes that are no character in one event must not become one together with those of the next. */
const LF = 0x0a;

/** Texts of deltas in a row, with a line feed between them, escapes and all. */
interface Run {
  readonly kind: Kind;
  readonly texts: string;
  readonly deltas: number;
}

/**
 * Remembers a stream. A delta of known shape costs one copy of its text, any other event one of itself; what they say is
 * read when much has come together or a cut happens.
 */
class RememberedStream implements SaidSoFar {
  readonly #lane: EngineDialect;
  /** What came before the open end: raw events and runs by turns. */
  #parts: (string | Run)[] | undefined;
  #partBytes = 0;
  /** The open end: either events, or the texts of a run. */
  #raw = "";
  #texts: Buffer | undefined;
  #used = 0;
  #deltas = 0;
  #kind: Kind = "text";
  #events: SaidEvents | undefined;
  #lost = false;

  constructor(lane: EngineDialect) {
    this.#lane = lane;
  }

  see(events: Buffer): void {
    if (this.#lost) return;
    if (this.#deltas > 0) this.#endRun();
    this.#raw += events.toString("latin1");
    if (this.#raw.length + this.#partBytes > MOST_RAW) this.#reduce();
  }

  seeDeltas(shape: DeltaShape, bytes: Buffer, from: number, end: number): void {
    if (this.#lost) return;
    if (this.#raw !== "") this.#endRaw();
    if (shape.kind !== this.#kind) {
      this.#endRun();
      this.#kind = shape.kind;
    }
    for (let at = from; at < end;) {
      const text = at + shape.before;
      const to = textEnd(bytes, text, end);
      this.#append(bytes, text, to);
      at = to + shape.after;
    }
    if (this.#used >= MOST_TEXTS) this.#reduce();
  }

  read(): Said | undefined {
    if (!this.#lost) this.#reduce();
    return this.#lost ? undefined : (this.#events ?? new SaidEvents(this.#lane)).said;
  }

  get held(): number {
    return this.#raw.length + this.#used + this.#partBytes + 2 * (this.#events?.characters ?? 0);
  }

  #append(bytes: Buffer, from: number, to: number): void {
    const used = this.#used;
    const texts = this.#roomFor(to - from + 1);
    if (to - from > FEW) bytes.copy(texts, used, from, to);
    else for (let at = from, into = used; at < to; at++, into++) texts[into] = bytes[at] ?? 0;
    texts[used + to - from] = LF;
    this.#used = used + to - from + 1;
    this.#deltas++;
  }

  #roomFor(more: number): Buffer {
    const texts = this.#texts;
    const need = this.#used + more;
    if (texts !== undefined && need <= texts.length) return texts;
    // Not of the pool: a stream may be open for hours, and would keep what lies beside it there.
    const grown = Buffer.allocUnsafeSlow(Math.max(need, 4 * (texts?.length ?? 0), FIRST_TEXTS));
    texts?.copy(grown, 0, 0, this.#used);
    this.#texts = grown;
    return grown;
  }

  #endRaw(): void {
    if (this.#raw === "") return;
    this.#partBytes += this.#raw.length;
    (this.#parts ??= []).push(this.#raw);
    this.#raw = "";
  }

  #endRun(): void {
    if (this.#deltas === 0) return;
    const texts = this.#texts?.toString("utf8", 0, this.#used - 1) ?? "";
    this.#partBytes += texts.length;
    (this.#parts ??= []).push({ kind: this.#kind, texts, deltas: this.#deltas });
    this.#used = this.#deltas = 0;
  }

  #reduce(): void {
    this.#endRaw();
    this.#endRun();
    const parts = this.#parts;
    if (parts === undefined) return;
    const events = (this.#events ??= new SaidEvents(this.#lane));
    this.#parts = undefined;
    this.#partBytes = 0;
    const understood = parts.every((part) =>
      typeof part === "string" ? addAll(events, utf8(part)) : addRun(events, part),
    );
    if (!understood || events.characters > MOST_CHARACTERS) this.#forget();
  }

  #forget(): void {
    this.#lost = true;
    this.#raw = "";
    this.#texts = undefined;
    this.#used = this.#deltas = 0;
    this.#events = undefined;
  }
}

function addRun(events: SaidEvents, { kind, texts, deltas }: Run): boolean {
  // No escape goes on from one text to the next: together they mean what each means.
  const together = texts.replaceAll("\n", "");
  const text = together.includes("\\") ? parsed(together) : together;
  if (text === undefined) return false;
  events.addRun(kind, text, deltas);
  return true;
}

/** The text of a quoted text; `undefined` when that is no JSON. */
function parsed(text: string): string | undefined {
  try {
    return asText(JSON.parse(`"${text}"`));
  } catch {
    return undefined;
  }
}

function addAll(events: SaidEvents, text: string): boolean {
  for (const { data } of eventsIn(text)) if (!events.add(data)) return false;
  return true;
}

const utf8 = (bytes: string): string => Buffer.from(bytes, "latin1").toString("utf8");

/** A memory for one stream in the dialect of the engines that answer it. */
export const createSaidSoFar = (lane: EngineDialect): SaidSoFar => new RememberedStream(lane);
