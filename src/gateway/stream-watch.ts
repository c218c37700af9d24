import type { Usage } from "./usage.ts";
import { findUsage, laterUsage } from "./usage.ts";

const DONE = Buffer.from("[DONE]");
const FINISH = Buffer.from('"finish_reason"');
const STOP = Buffer.from('"message_stop"');
const USAGE = Buffer.from('"usage"');
const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const QUOTE = 0x22;

/**
 * Watches the whole events of a stream go by and knows whether the answer came to its end, without parsing them.
 * Inside a JSON string a quote is escaped, so `"finish_reason":"` with bare quotes is never something the model said.
 */
export class StreamWatch {
  done = false;
  finished = false;
  usage: Usage | undefined;
  readonly #anthropic: boolean;

  constructor(anthropic: boolean) {
    this.#anthropic = anthropic;
  }

  /** `events` holds whole events only. */
  see(events: Buffer): void {
    if (this.#anthropic) {
      if (!this.done && events.includes(STOP)) this.done = true;
    } else {
      if (!this.done && hasDone(events)) this.done = true;
      if (!this.finished && hasFinish(events)) this.finished = true;
    }
    if (events.includes(USAGE)) this.usage = laterUsage(this.usage, findUsage(events));
  }

  /** Whether the client may take what it has for the whole answer. */
  get whole(): boolean {
    return this.done || this.finished;
  }
}

function hasDone(events: Buffer): boolean {
  for (let at = events.indexOf(DONE); at >= 0; at = events.indexOf(DONE, at + 1)) {
    const before = events.toString("latin1", Math.max(0, at - 7), at);
    if (/(?:^|[\r\n])data: ?$/.test(before)) return true;
  }
  return false;
}

/** The name stands in every event, mostly before `null`: bytes are looked at, because a text of them would be made for each. */
function hasFinish(events: Buffer): boolean {
  for (let at = events.indexOf(FINISH); at >= 0; at = events.indexOf(FINISH, at + 1)) {
    let next = at + FINISH.length;
    while (isSpace(events[next]) || events[next] === COLON) next++;
    if (events[next] === QUOTE) return true;
  }
  return false;
}

const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === LF || byte === CR || byte === 0x09;

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

/** Behind the blank line before `at`. */
function eventStart(events: Buffer, at: number): number {
  for (let lf = events.lastIndexOf(LF, at - 1); lf > 0; lf = events.lastIndexOf(LF, lf - 1)) {
    if (events[lf - 1] === LF || (events[lf - 1] === CR && events[lf - 2] === LF)) return lf + 1;
    if (lf === 1) break;
  }
  return 0;
}

const NO_CHOICES = /"choices"\s*:\s*\[\s*\]/;

/** The events without those that hold usage and no choice: the client did not ask for them. */
export function withoutUsageEvents(events: Buffer): Buffer {
  if (!events.includes(USAGE)) return events;
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
  for (let at = bytes.indexOf(LF, from); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2;
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
  }
  return bytes.length;
}
