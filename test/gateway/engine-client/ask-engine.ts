import type {
  EngineCall,
  EngineController,
  EngineDispatcher,
  EngineHandler,
  ReceivedHeaders,
} from "../../../src/gateway/http/engine-handler.ts";
import { EngineClient } from "../../../src/gateway/http/engine-client.ts";
import { EngineSweep } from "../../../src/gateway/http/engine-sweep.ts";
import { EngineTurns } from "../../../src/gateway/http/engine-turns.ts";
import type { LocalAddress } from "../../../src/core/index.ts";

/** A client of its own clocks. */
export const clientFor = (
  address: LocalAddress,
  more: { connectTime?: number; most?: number } = {},
): EngineClient =>
  new EngineClient({
    address,
    connectTime: 5_000,
    most: 90,
    turns: new EngineTurns(),
    sweep: new EngineSweep(),
    ...more,
  });

export const callOf = (body: string | Buffer = "{}", headers: readonly string[] = []): EngineCall => ({
  method: "POST",
  path: "/v1/chat/completions",
  headers: ["content-type", "application/json", ...headers],
  body: Buffer.from(body),
});

/** All that a handler heard of one request. */
export class HeardAnswer implements EngineHandler {
  readonly told: string[] = [];
  readonly chunks: Buffer[] = [];
  status = 0;
  headers: ReceivedHeaders = {};
  error: (Error & { readonly code?: string }) | undefined;
  controller: EngineController | undefined;
  /** Resolves when the end or an error was told. */
  readonly over: Promise<this>;
  readonly #ended: () => void;
  #lends = false;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<this>();
    this.over = promise;
    this.#ended = () => resolve(this);
  }

  get body(): Buffer {
    return Buffer.concat(this.chunks);
  }

  get text(): string {
    return this.body.toString("latin1");
  }

  onRequestStart(controller: EngineController): void {
    this.told.push("request");
    this.controller = controller;
  }

  onResponseStart(_controller: EngineController, status: number, headers: ReceivedHeaders): void {
    // undici tells of interim answers, Omni's client does not.
    if (status < 200) return;
    this.told.push("start");
    this.status = status;
    this.headers = headers;
  }

  onResponseData(_controller: EngineController, chunk: Buffer): void {
    this.told.push("data");
    this.chunks.push(chunk);
  }

  /** Takes every other one. */
  onResponseLent(bytes: Buffer, from: number, end: number): boolean {
    this.#lends = !this.#lends && this.controller !== undefined;
    if (this.#lends && this.controller !== undefined)
      this.onResponseData(this.controller, Buffer.from(bytes.subarray(from, end)));
    return this.#lends;
  }

  onResponseEnd(): void {
    this.told.push("end");
    this.#ended();
  }

  onResponseError(_controller: EngineController, error: Error): void {
    this.told.push("error");
    this.error = error;
    this.#ended();
  }
}

/** Sends a request and gives what was heard of it once it is over. */
export function ask(
  engine: EngineDispatcher,
  call: EngineCall = callOf(),
  heard: HeardAnswer = new HeardAnswer(),
): Promise<HeardAnswer> {
  engine.dispatch(call, heard);
  return heard.over;
}
