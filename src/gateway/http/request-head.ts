import type { IncomingHttpHeaders } from "node:http";

import type { Outlet } from "../outlet.ts";

/** The head of a request, as node:http or Omni's own reader gives it (`IncomingMessage` fits). */
export interface RequestHead {
  readonly method?: string | undefined;
  /** Path and query, as they came. */
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** Requests that share it have the same headers but for the length of the body. */
  readonly kin?: object;
  /** The connection below. */
  readonly socket: { readonly bytesWritten: number };
}

/** The body of a request, on its way or there. */
export interface RequestBody {
  /** Gives the whole body once it is there; one chunk as it came. `tooLarge` is called as soon as that is known, and nothing is kept then. */
  read(limit: number, then: (body: Buffer) => void, tooLarge: () => void): void;
  /**
   * Throws away unread what is still to come, at most `most` bytes or two seconds long; then the connection is destroyed.
   * `done` is called when the body came to its end within these bounds.
   */
  discard(most: number, done: () => void): void;
}

/** Where the answer to a connection's request goes (`ServerResponse` fits). */
export interface AnswerOutlet extends Outlet {
  readonly statusCode: number;
  /** `end` was called. */
  readonly writableEnded: boolean;
  /** Bytes that wait for a client that reads slowly. */
  readonly writableLength: number;
  /** All of the answer was handed to the system. */
  readonly writableFinished: boolean;
}
