import { ApiError } from "./api-error.ts";
import type { ApiClient } from "./api-client.ts";
import { Backoff } from "./backoff.ts";
import { LineSplitter } from "../line-splitter.ts";
import { LINE_LIMIT } from "./engine-lines.ts";

/** `2026-11-22T03:50:00.123456789Z `: what the kubelet puts before each line when asked for it. */
const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) ?/;
const STAMP_LENGTH = 36;

export interface PodLogOptions {
  readonly client: ApiClient;
  /** Of the pod. */
  readonly path: string;
  readonly container: string;
  /** Read no more than this of what there is already; all when absent. */
  readonly tailLines?: number;
  /** Whether it is still the same run of the container: the API would go on with the log of the next. */
  readonly sameRun: () => Promise<boolean>;
  readonly onLine: (line: string) => void;
  /** Told once when the log cannot be read although the API answers. */
  readonly onTrouble: (error: unknown) => void;
  readonly backoff: readonly [number, number];
}

/**
 * Follows the log of one container. A cut stream goes on from the last line: the API goes back by whole seconds, and
 * what came before is told by the stamp of each line and how many carried the same.
 */
export class PodLog {
  readonly #options: PodLogOptions;
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;
  #last = "";
  #atLast = 0;
  #over = false;
  #reading = false;
  #told = false;

  constructor(options: PodLogOptions) {
    this.#options = options;
    this.#done = this.#follow();
  }

  /**
   * Reads to the end of a container that has ended, for at most `limit` ms, then stops. `restarted`: another runs in its
   * place already, and what is missing is asked for as the previous one's.
   */
  async finish(limit: number, restarted: boolean): Promise<void> {
    this.#over = true;
    // Another read would be of the one in its place.
    if (restarted && !this.#reading) this.#abort.abort();
    const late = setTimeout(() => this.#abort.abort(), limit);
    await this.#done;
    clearTimeout(late);
    if (restarted) await this.#read({ previous: true }, AbortSignal.timeout(limit)).catch(() => {});
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#done;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#abort;
    const backoff = new Backoff(...this.#options.backoff);
    for (let first = true; !signal.aborted; first = false) {
      try {
        if (!first && !(await this.#options.sameRun())) return;
        this.#reading = true;
        const fresh = await this.#read({ follow: true }, signal);
        if (fresh) backoff.reset();
        // The container had ended before this read began: there is no more.
        if (this.#over) return;
      } catch (error) {
        if (signal.aborted || (error instanceof ApiError && error.status === 404)) return;
        // 400: the container is not there yet.
        if (error instanceof ApiError && error.status !== 400) this.#trouble(error);
        if (this.#over && error instanceof ApiError) return;
      }
      this.#reading = false;
      await backoff.wait(signal);
    }
  }

  #trouble(error: unknown): void {
    if (!this.#told) this.#options.onTrouble(error);
    this.#told = true;
  }

  /** Whether anything new was read. */
  async #read(how: { follow?: boolean; previous?: boolean }, signal: AbortSignal): Promise<boolean> {
    const { client, path, container, tailLines } = this.#options;
    const from = this.#last === "" ? { tailLines } : { sinceTime: this.#last };
    const stream = await client.stream({
      path: `${path}/log`,
      query: { container, timestamps: true, ...how, ...from },
      signal,
    });
    // What was read before comes again until the first line beyond it. Only there are stamps compared: a clock may be set back.
    let replayed = this.#last !== "";
    let again = this.#atLast;
    let fresh = false;
    const splitter = new LineSplitter(LINE_LIMIT + STAMP_LENGTH, (line) => {
      const stamp = stampOf(line);
      if (replayed && stamp !== undefined && stamp < this.#last) return;
      if (replayed && stamp === this.#last && again > 0) {
        again--;
        return;
      }
      replayed = false;
      if (stamp !== undefined) {
        this.#atLast = stamp === this.#last ? this.#atLast + 1 : 1;
        this.#last = stamp;
      }
      fresh = true;
      this.#options.onLine(line.replace(STAMP, ""));
    });
    try {
      for await (const chunk of stream) splitter.write(Buffer.from(chunk));
      splitter.end();
    } catch (error) {
      // Cut in the middle of a line: it comes again whole.
      if (!signal.aborted && !fresh) throw error;
    }
    return fresh;
  }
}

/** The stamp of a line in a form that sorts; `undefined` for a line without one. */
function stampOf(line: string): string | undefined {
  const [, seconds, fraction = "", zone] = STAMP.exec(line) ?? [];
  if (seconds === undefined) return undefined;
  return `${seconds}.${fraction.padEnd(9, "0")}${zone ?? "Z"}`;
}
