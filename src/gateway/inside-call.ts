import type { JsonObject } from "../dialects/dialect.ts";
import type { Caller } from "../keys/caller.ts";

/** The answer of this gateway to a request that came from inside. */
export interface InsideAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface InsideRequest {
  /** `/v1/chat/completions` */
  readonly path: string;
  readonly body: JsonObject;
  readonly caller: Caller;
  /** Id of the request it belongs to, shown in events and logs. */
  readonly id: string;
  /** Overrides the caller's: batches wait behind everybody (0). */
  readonly priority?: number;
  readonly signal: AbortSignal;
  /** Called for each event of a stream, in order, whole; `data` as it stood behind `data:`. The body is empty then. */
  readonly onEvent?: (data: string, name: string | undefined) => void;
}

/** Asks this gateway as a client would, without a socket: routing, places, limits, failover and usage included. */
export type AskInside = (request: InsideRequest) => Promise<InsideAnswer>;
