import type { Answer, AttemptOwner } from "./answer.ts";
import type { AttemptFailure } from "./attempt-failure.ts";
import { classifyFailure } from "./attempt-failure.ts";
import { ClientSink } from "./client-sink.ts";
import type { EngineController, EngineHandler, ReceivedHeaders } from "./http/engine-handler.ts";
import { HeldAnswer } from "./held-answer.ts";
import { StreamAnswer } from "./stream-answer.ts";

/** One request to one engine, as its client reports it. */
export class Attempt implements EngineHandler {
  readonly #owner: AttemptOwner;
  #controller: EngineController | undefined;
  #sink: ClientSink | undefined;
  #answer: Answer | undefined;
  #over = false;

  constructor(owner: AttemptOwner) {
    this.#owner = owner;
  }

  onRequestStart(controller: EngineController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new Error("the client is gone"));
  }

  onResponseStart(controller: EngineController, status: number, received: ReceivedHeaders): void {
    if (status < 200 || this.#over) return;
    const sink = new ClientSink(this.#owner.outlet, controller, this.#owner.limits.idleTime);
    this.#sink = sink;
    this.#guarded(() => {
      this.#answer =
        status === 200 && isEventStream(received)
          ? new StreamAnswer(this.#owner, sink, received)
          : new HeldAnswer(this.#owner, sink, status, received);
    });
  }

  onResponseData(_controller: EngineController, chunk: Buffer): void {
    if (this.#over) return;
    this.#owner.heard(performance.now());
    this.#guarded(() => this.#answer?.data(chunk));
  }

  onResponseLent(bytes: Buffer, from: number, end: number): boolean {
    const answer = this.#answer;
    if (this.#over || answer?.lent === undefined) return this.#over;
    this.#owner.heard(performance.now());
    try {
      return answer.lent(bytes, from, end);
    } catch (thrown) {
      this.#fault(thrown);
      return true;
    }
  }

  onResponseEnd(): void {
    if (this.#over) return;
    this.#over = true;
    this.#guarded(() => this.#answer?.end());
  }

  onResponseError(_controller: EngineController, error: Error): void {
    this.#fail(classifyFailure(error));
  }

  /** The engine is silent because the client does not read. */
  get paused(): boolean {
    return this.#sink?.paused === true;
  }

  /** Ends the try from this side as if the engine had failed that way. */
  end(failure: AttemptFailure): void {
    this.#fail(failure);
    this.#controller?.abort(new Error(failure.message));
  }

  /** Nobody wants the answer any more: the engine's connection is cut at once, nobody is told. */
  abandon(): void {
    this.#over = true;
    this.#controller?.abort(new Error("the client is gone"));
  }

  /** What is thrown here is no failure of the engine: it would be blamed, and the request sent to the next one. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (thrown) {
      this.#fault(thrown);
    }
  }

  #fault(thrown: unknown): void {
    this.#over = true;
    this.#owner.fault(thrown);
    this.#controller?.abort(new Error("the gateway could not read the answer"));
  }

  #fail(failure: AttemptFailure): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#answer === undefined) this.#owner.broken(failure);
    else this.#answer.broken(failure);
  }
}

const isEventStream = (received: ReceivedHeaders): boolean =>
  String(received["content-type"] ?? "")
    .toLowerCase()
    .startsWith("text/event-stream");
