import { COUNTED, DONE, FINISHED, lookOver, NAMES_USAGE, STOPPED } from "./event-look.ts";
import type { Usage } from "./usage.ts";
import { findUsage, laterUsage } from "./usage.ts";

const USAGE = Buffer.from('"usage"');
const LF = 0x0a;
const CR = 0x0d;

/** Watches the whole events of a stream go by and knows whether the answer came to its end, without parsing them. */
export class StreamWatch {
  done = false;
  finished = false;
  usage: Usage | undefined;
  readonly #anthropic: boolean;

  constructor(anthropic: boolean) {
    this.#anthropic = anthropic;
  }

  /** `events` holds whole events only; `seen` is what a look over them told. */
  see(events: Buffer, seen = lookOver(events)): void {
    if (this.#anthropic) {
      if ((seen & STOPPED) !== 0) this.done = true;
    } else {
      if ((seen & DONE) !== 0) this.done = true;
      if ((seen & FINISHED) !== 0) this.finished = true;
    }
    if ((seen & COUNTED) !== 0) this.usage = laterUsage(this.usage, findUsage(events));
  }

  /** Whether the client may take what it has for the whole answer. */
  get whole(): boolean {
    return this.done || this.finished;
  }
}

const ERROR = Buffer.from("error");
/** An event of its own (OpenAI's dialect and Anthropic's), or a field that llama-server once wrote in place of `data`. */
const ERROR_EVENT = /(?:^|\n)(?:data: ?\{\s*"(?:error"|type"\s*:\s*"error")|event: ?error|error: ?\{)/;

/** Where the first event begins by which the engine itself says that it failed; `undefined` when there is none. */
export function errorEventAt(events: Buffer): number | undefined {
  if (!events.includes(ERROR)) return undefined;
  const found = ERROR_EVENT.exec(events.toString("latin1"));
  if (found === null) return undefined;
  return eventStart(events, found[0].startsWith("\n") ? found.index + 1 : found.index);
}

/** Where the event begins that holds the byte at `at`. */
function eventStart(events: Buffer, at: number): number {
  let start = 0;
  for (let end = eventEnd(events, 0); end <= at; end = eventEnd(events, start)) start = end;
  return start;
}

const NO_CHOICES = /"choices"\s*:\s*\[\s*\]/;

/** The events without those that hold usage and no choice: the client did not ask for them. */
export function withoutUsageEvents(events: Buffer, seen = lookOver(events)): Buffer {
  if ((seen & NAMES_USAGE) === 0) return events;
  const kept: Buffer[] = [];
  let changed = false;
  for (let at = 0; at < events.length;) {
    const end = eventEnd(events, at);
    const event = events.subarray(at, end);
    if (event.includes(USAGE) && NO_CHOICES.test(event.toString("latin1"))) changed = true;
    else kept.push(event);
    at = end;
  }
  return changed ? Buffer.concat(kept) : events;
}

/** Behind the blank line that ends the event at `from`. */
export function eventEnd(bytes: Buffer, from: number): number {
  const { length } = bytes;
  for (let at = from; at < length; at++) {
    if (bytes[at] !== LF) continue;
    if (bytes[at + 1] === LF) return at + 2;
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
  }
  return length;
}
