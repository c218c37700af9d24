/** Milliseconds that the server has to act on a cancellation. */
const CANCEL_TIME = 1000;

/** Why a call was ended from here. */
export type EndCause = "abort" | "deadline";

/** What the watch does to the statement that it watches. */
export interface Watched {
  /** Asks the server to cancel. */
  cancel(): void;
  /** Ends the connection, and the server's process by another one. */
  force(): void;
}

/** Watches one call: when its client is gone or its time is up, the statement is cancelled, and ended by force a second later. */
export class CallWatch {
  readonly #signal: AbortSignal;
  readonly #watched: Watched;
  readonly #onAbort = (): void => this.#end("abort");
  readonly #deadline: NodeJS.Timeout;
  #force: NodeJS.Timeout | undefined;
  #cause: EndCause | undefined;

  /** @param time Milliseconds that the call may take. */
  constructor(signal: AbortSignal, time: number, watched: Watched) {
    this.#signal = signal;
    this.#watched = watched;
    this.#deadline = setTimeout(() => this.#end("deadline"), time);
    signal.addEventListener("abort", this.#onAbort, { once: true });
    if (signal.aborted) this.#end("abort");
  }

  get cause(): EndCause | undefined {
    return this.#cause;
  }

  /** Watches no longer; a second call does nothing. */
  stop(): void {
    clearTimeout(this.#deadline);
    clearTimeout(this.#force);
    this.#signal.removeEventListener("abort", this.#onAbort);
  }

  #end(cause: EndCause): void {
    if (this.#cause !== undefined) return;
    this.#cause = cause;
    this.#watched.cancel();
    this.#force = setTimeout(() => this.#watched.force(), CANCEL_TIME);
  }
}
