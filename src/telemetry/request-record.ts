import type { RequestRow } from "../store/index.ts";

/** How a request ended. */
export type RequestOutcome =
  /** The client has a whole answer of an engine, whatever its status. */
  | "answered"
  /** Omni refused it: wrong, unknown, not allowed, over a limit, nothing ready. */
  | "refused"
  /** All tries failed. */
  | "failed"
  /** It broke after a part, and the client was told. */
  | "cut"
  /** The client went away. */
  | "abandoned";

/** Status of a request whose client left before it had any, as nginx writes it. */
export const CLIENT_GONE = 499;

/** One request as metrics, traces and the access log see it: its row, and what no row holds. No contents and no secrets. */
export interface RequestRecord extends Omit<RequestRow, "outcome"> {
  readonly outcome: RequestOutcome;
  /** W3C trace context as the client sent it. */
  readonly traceparent?: string | undefined;
  /** Tries, for the spans of a trace: when each began and ended (since the epoch), where, and how. */
  readonly tries?: readonly {
    readonly service: string;
    readonly began: number;
    readonly ended: number;
    readonly failure?: string | undefined;
  }[];
}

/** Where the gateway tells what it did. Every method is cheap and never throws. */
export interface Meter {
  finished(record: RequestRecord): void;
  /** Time between two events of a stream that carried content, ms. */
  interToken(service: string, time: number): void;
  /**
   * `traceparent` of the request to an engine, when this request is traced; the client's own is passed on otherwise. Asked
   * once for each try as it begins: the span that it names becomes that of the entry in `tries` that began as the same one.
   */
  traceparent(id: string, received: string | undefined): string | undefined;
}
