import type { EngineController } from "./http/engine-handler.ts";
import type { Outlet } from "./outlet.ts";

/** An answer that the gateway ends because of what is in it. */
export class RefusedAnswer extends Error {}

/** Writes an answer to the client at the client's pace: the engine is paused while the client does not read. */
export class ClientSink {
  readonly outlet: Outlet;
  readonly #controller: EngineController;
  readonly #stallTime: number;
  /** True while the engine is silent because the client does not read. */
  paused = false;

  /** The client's connection is destroyed once it read nothing for `stallTime` milliseconds. */
  constructor(outlet: Outlet, controller: EngineController, stallTime: number) {
    this.outlet = outlet;
    this.#controller = controller;
    this.#stallTime = stallTime;
  }

  /** Ends the engine's answer from this side; what comes of the request is up to its owner. */
  refuse(why: string): void {
    this.#controller.abort(new RefusedAnswer(why));
  }

  write(chunk: Buffer): void {
    if (!this.outlet.write(chunk)) this.#wait();
  }

  /** Writes bytes from `from` to `end` that are overwritten once this returns. */
  writeLent(bytes: Buffer, from: number, end: number): void {
    const { outlet } = this;
    const taken =
      outlet.writePart?.(bytes, from, end) ?? outlet.write(Buffer.from(bytes.subarray(from, end)));
    if (!taken) this.#wait();
  }

  #wait(): void {
    if (this.paused) return;
    this.paused = true;
    this.#controller.pause();
    // Its `close` makes the request give up its tries.
    const timer = setTimeout(() => this.outlet.destroy(), this.#stallTime);
    const closed = (): void => clearTimeout(timer);
    this.outlet.once("close", closed);
    this.outlet.once("drain", () => {
      clearTimeout(timer);
      this.outlet.off("close", closed);
      this.paused = false;
      this.#controller.resume();
    });
  }
}
