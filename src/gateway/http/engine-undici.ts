import type { Dispatcher } from "undici";

import type { EngineCall, EngineDispatcher, EngineHandler } from "./engine-handler.ts";

/** Requests through undici, which speaks TLS. */
export class UndiciEngine implements EngineDispatcher {
  readonly #dispatcher: Dispatcher;

  constructor(dispatcher: Dispatcher) {
    this.#dispatcher = dispatcher;
  }

  dispatch({ method, path, headers, body }: EngineCall, handler: EngineHandler): void {
    this.#dispatcher.dispatch({ method, path, headers: [...headers], body }, handler);
  }
}
