import { setTimeout as sleep } from "node:timers/promises";
import { LineSplitter } from "../line-splitter.ts";
import { isMissing } from "./daemon-answer.ts";
import { LogFrames } from "./log-frames.ts";

const LINE_LIMIT = 4096;
const FIRST_WAIT = 100;
const LONGEST_WAIT = 5000;
/** `2026-11-22T02:14:00.123456789Z `, of fixed width, so that texts compare as times. */
const STAMP = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\.(\d{9})Z $/;
const STAMP_LENGTH = 31;

/** Follows a container's log to its end, with time stamps: the newest `tail` messages, or those from `since` (`seconds.nanoseconds`). */
export type OpenLog = (from: {
  readonly tail?: number;
  readonly since?: string;
}) => Promise<AsyncIterable<Buffer>>;

/**
 * Follows a container's log to its end. A connection that breaks, as when Docker restarts, is opened anew at the last
 * message, and messages that were already seen are left out.
 */
export class LogFollower {
  readonly #open: OpenLog;
  readonly #splitters: Readonly<Record<"stdout" | "stderr", LineSplitter>>;
  readonly #tail: number | undefined;
  readonly #firstWait: number;
  #last: string | undefined;
  /** Messages seen that carry the time `#last`. */
  #seenAtLast = 0;
  /** Of those, how many the open stream has yet to repeat. */
  #toSkip = 0;
  #news = false;

  constructor(open: OpenLog, emit: (line: string) => void, tail?: number, firstWait = FIRST_WAIT) {
    this.#firstWait = firstWait;
    this.#open = open;
    this.#tail = tail;
    this.#splitters = {
      stdout: new LineSplitter(LINE_LIMIT, emit),
      stderr: new LineSplitter(LINE_LIMIT, emit),
    };
  }

  /** Resolves when the log has been read to its end after `over`, or `closing` aborted. Never rejects. */
  async follow(over: AbortSignal, closing: AbortSignal): Promise<void> {
    const wake = AbortSignal.any([over, closing]);
    for (let wait = this.#firstWait; !closing.aborted;) {
      // Read once more after the end: what the first reading missed is there then.
      const last = over.aborted;
      const outcome = await this.#read();
      if (last || outcome === "gone") break;
      wait = outcome === "news" ? this.#firstWait : Math.min(LONGEST_WAIT, wait * 2);
      await sleep(wait, undefined, { signal: wake }).catch(() => {});
    }
    this.#splitters.stdout.end();
    this.#splitters.stderr.end();
  }

  async #read(): Promise<"news" | "nothing" | "gone"> {
    const frames = new LogFrames((stream, payload) => this.#take(stream, payload));
    this.#news = false;
    this.#toSkip = this.#seenAtLast;
    try {
      const tail = this.#tail === undefined ? {} : { tail: this.#tail };
      const from = this.#last === undefined ? tail : { since: seconds(this.#last) };
      for await (const chunk of await this.#open(from)) frames.write(chunk);
    } catch (thrown) {
      if (isMissing(thrown)) return "gone";
    }
    return this.#news ? "news" : "nothing";
  }

  #take(stream: "stdout" | "stderr", payload: Buffer): void {
    const stamp = payload.toString("latin1", 0, STAMP_LENGTH);
    if (!STAMP.test(stamp)) return this.#splitters[stream].write(payload);
    if (this.#last !== undefined && stamp < this.#last) return;
    if (stamp === this.#last) {
      if (this.#toSkip > 0) {
        this.#toSkip--;
        return;
      }
      this.#seenAtLast++;
    } else {
      this.#last = stamp;
      this.#seenAtLast = 1;
      this.#toSkip = 0;
    }
    this.#news = true;
    this.#splitters[stream].write(payload.subarray(STAMP_LENGTH));
  }
}

function seconds(stamp: string): string {
  const [, whole = "", nanoseconds = "0"] = STAMP.exec(stamp) ?? [];
  return `${Math.floor(Date.parse(`${whole}Z`) / 1000)}.${nanoseconds}`;
}
