import type { Dialect, JsonObject } from "./dialect.ts";
import type { WireError } from "./wire-error.ts";

/** Turns the events of an engine's stream into those of the client's dialect, in order, as wire text. */
export interface StreamTranslator {
  /** What the client is sent for one event of the engine, `data` as it stood behind `data:`; empty for nothing. */
  event(data: string, name?: string): string;
  /** What is still owed once the engine has ended in good order; empty when everything was said. */
  end(): string;
  /** The error event that ends the stream instead; empty when it has ended already. Nothing is said after it. */
  error(error: WireError): string;
}

/** What the client's answer is called where the engine's own words are not to be used, or are missing. */
export interface AnswerIdentity {
  /** Id of the answer (`resp_…`, `msg_…`, `chatcmpl-…`); derived from the engine's own when absent. */
  readonly id?: string;
  /** Seconds since the epoch for engines that do not tell it (Anthropic's dialect never does); 0 when absent. */
  readonly created?: number;
}

/** How a request of one dialect is asked in another, and how the answer comes back. */
export interface Translation {
  /** The client's. */
  readonly from: Dialect;
  /** The engine's. */
  readonly to: Dialect;
  /** Throws `DialectError` where the other dialect has no word for something that cannot be left out. */
  request(body: JsonObject): JsonObject;
  /** A whole answer of the engine as the client's; `request` is the client's own body. Throws `DialectError` when it is none. */
  answer(body: JsonObject, request: JsonObject, identity?: AnswerIdentity): JsonObject;
  stream(request: JsonObject, identity?: AnswerIdentity): StreamTranslator;
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
