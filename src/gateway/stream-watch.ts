import type { Usage } from "./usage.ts";
import { findUsage } from "./usage.ts";

const DONE = Buffer.from("[DONE]");
const FINISH = Buffer.from('"finish_reason"');
const USAGE = Buffer.from('"usage"');
const ERROR = /(?:^|\n)data: ?\{\s*"error"/;

/**
 * Watches the whole events of a stream go by and knows whether the answer came to its end, without parsing them.
 * Inside a JSON string a quote is escaped, so `"finish_reason":"` with bare quotes is never something the model said.
 */
export class StreamWatch {
  done = false;
  finished = false;
  /** The engine itself ended the stream with an error event. */
  failed = false;
  usage: Usage | undefined;

  /** `events` holds whole events only. */
  see(events: Buffer): void {
    if (!this.done && hasDone(events)) this.done = true;
    if (!this.finished && hasFinish(events)) this.finished = true;
    if (events.includes(USAGE)) this.usage = findUsage(events) ?? this.usage;
    // Only the first bytes of an event are looked at here; most chunks hold one.
    if (!this.failed && events.includes('{"error"') && ERROR.test(events.toString("latin1")))
      this.failed = true;
  }

  /** Whether the client may take what it has for the whole answer. */
  get whole(): boolean {
    return this.done || this.finished || this.failed;
  }
}

function hasDone(events: Buffer): boolean {
  for (let at = events.indexOf(DONE); at >= 0; at = events.indexOf(DONE, at + 1)) {
    const before = events.toString("latin1", Math.max(0, at - 7), at);
    if (/(?:^|[\r\n])data: ?$/.test(before)) return true;
  }
  return false;
}

function hasFinish(events: Buffer): boolean {
  for (let at = events.indexOf(FINISH); at >= 0; at = events.indexOf(FINISH, at + 1)) {
    if (/^\s*:\s*"/.test(events.toString("latin1", at + FINISH.length, at + FINISH.length + 8))) return true;
  }
  return false;
}
