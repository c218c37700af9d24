import type { ServerResponse } from "node:http";
import type { Dispatcher } from "undici";

import type { Address } from "../../core/index.ts";
import { nativeAnswerHeaders } from "./native-headers.ts";
import { SecretMask, secretsIn } from "./secret-mask.ts";

/** Who hears how a native request ended; exactly one of these, once. */
export interface RelayOwner {
  /** The answer ended in good order. */
  finished(status: number): void;
  /** Nothing of it reached the client. */
  failed(error: Error): void;
  /** The client has a part of it, and its connection is broken off. */
  cut(error: Error): void;
  /** The client is gone. */
  abandoned(): void;
}

export interface RelaySettings {
  readonly address: Address;
  /** Flat name and value pairs of this gateway's own. */
  readonly headers: readonly string[];
  /** Milliseconds of silence, of either side. */
  readonly idleTime: number;
}

/**
 * Passes an engine's native answer to the client as it comes: status, headers and bytes, at the client's pace. A client that
 * goes ends the request at the engine at once.
 */
export class NativeRelay implements Dispatcher.DispatchHandler {
  readonly #owner: RelayOwner;
  readonly #res: ServerResponse;
  readonly #settings: RelaySettings;
  readonly #mask: SecretMask;
  readonly #secrets: readonly string[];
  readonly #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #over = false;

  constructor(owner: RelayOwner, res: ServerResponse, settings: RelaySettings) {
    this.#owner = owner;
    this.#res = res;
    this.#settings = settings;
    this.#secrets = settings.address.kind === "url" ? secretsIn(settings.address.headers) : [];
    this.#mask = new SecretMask(this.#secrets);
    this.#timer = setTimeout(() => this.end(new Error("it was silent for too long")), settings.idleTime);
    res.once("close", this.#clientGone);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new Error("the request has ended"));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    received: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    if (this.#over || status < 200) return;
    this.#timer.refresh();
    const { address, headers } = this.#settings;
    this.#res.writeHead(status, [...nativeAnswerHeaders(received, address, this.#secrets), ...headers]);
    this.#res.flushHeaders();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return;
    this.#timer.refresh();
    const seen = this.#mask.push(chunk);
    if (seen.length === 0 || this.#res.write(seen)) return;
    controller.pause();
    this.#res.once("drain", () => {
      this.#timer.refresh();
      controller.resume();
    });
  }

  onResponseEnd(): void {
    if (!this.#settle()) return;
    this.#res.end(this.#mask.end());
    this.#owner.finished(this.#res.statusCode);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#broken(error);
  }

  /** Ends it from this side, as if the engine had failed that way. */
  end(error: Error): void {
    this.#broken(error);
    this.#controller?.abort(error);
  }

  #broken(error: Error): void {
    if (!this.#settle()) return;
    if (!this.#res.headersSent) this.#owner.failed(error);
    else {
      this.#res.destroy();
      this.#owner.cut(error);
    }
  }

  readonly #clientGone = (): void => {
    if (!this.#settle()) return;
    this.#controller?.abort(new Error("the client is gone"));
    this.#owner.abandoned();
  };

  /** False when it has ended already. */
  #settle(): boolean {
    if (this.#over) return false;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#res.off("close", this.#clientGone);
    return true;
  }
}
