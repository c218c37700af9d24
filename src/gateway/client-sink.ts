import type { ServerResponse } from "node:http";
import type { Dispatcher } from "undici";

/** An answer that the gateway ends because of what is in it. */
export class RefusedAnswer extends Error {}

/** Writes an answer to the client at the client's pace: the engine is paused while the client does not read. */
export class ClientSink {
  readonly res: ServerResponse;
  readonly #controller: Dispatcher.DispatchController;
  readonly #stallTime: number;
  readonly #stalled: () => void;
  #paused = false;

  /** `stalled` is called once the client read nothing for `stallTime` milliseconds. */
  constructor(
    res: ServerResponse,
    controller: Dispatcher.DispatchController,
    stallTime: number,
    stalled: () => void,
  ) {
    this.res = res;
    this.#controller = controller;
    this.#stallTime = stallTime;
    this.#stalled = stalled;
  }

  /** Ends the engine's answer from this side; what comes of the request is up to its owner. */
  refuse(why: string): void {
    this.#controller.abort(new RefusedAnswer(why));
  }

  write(chunk: Buffer): void {
    if (this.res.write(chunk) || this.#paused) return;
    this.#paused = true;
    this.#controller.pause();
    const timer = setTimeout(this.#stalled, this.#stallTime);
    const closed = (): void => clearTimeout(timer);
    this.res.once("close", closed);
    this.res.once("drain", () => {
      clearTimeout(timer);
      this.res.off("close", closed);
      this.#paused = false;
      this.#controller.resume();
    });
  }
}
