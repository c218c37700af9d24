import type { Dialect, JsonObject } from "./dialect.ts";

/** Turns the events of an engine's stream into those of the client's dialect, in order, as wire text. */
export interface StreamTranslator {
  /** What the client is sent for one event of the engine, `data` as it stood behind `data:`; empty for nothing. */
  event(data: string, name?: string): string;
  /** What is still owed once the engine has ended in good order; empty when everything was said. */
  end(): string;
}

/** How a request of one dialect is asked in another, and how the answer comes back. */
export interface Translation {
  /** The client's. */
  readonly from: Dialect;
  /** The engine's. */
  readonly to: Dialect;
  /** Throws `DialectError` where the other dialect has no word for something that cannot be left out. */
  request(body: JsonObject): JsonObject;
  /** A whole answer of the engine as the client's; `request` is the client's own body. */
  answer(body: JsonObject, request: JsonObject): JsonObject;
  stream(request: JsonObject): StreamTranslator;
}

/** A request that is wrong in its own dialect, or has no counterpart in the engine's. */
export class DialectError extends Error {
  /** Path of the member, `messages[2].content[0]`. */
  readonly param: string;

  constructor(param: string, message: string) {
    super(message);
    this.name = "DialectError";
    this.param = param;
  }
}
