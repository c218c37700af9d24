import type { AttemptFailure } from "./attempt-failure.ts";
import type { GatewayLimits } from "./limits.ts";
import type { Usage } from "./usage.ts";

export type ReceivedHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** What one try may tell the request it belongs to. Exactly one of the last three is called, once. */
export interface AttemptOwner {
  readonly limits: GatewayLimits;
  readonly service: string;
  /** The answer's head, flat. */
  head(received: ReceivedHeaders): string[];
  /** The client has the whole answer. */
  finished(usage: Usage | undefined): void;
  /** The try failed and the client has seen nothing of it. */
  broken(failure: AttemptFailure): void;
  /** The try failed after the client had seen a part; the client has been told. */
  cut(failure: AttemptFailure): void;
}

/** How the body of an answer reaches the client. */
export interface Answer {
  data(chunk: Buffer): void;
  /** The engine ended the answer in good order. */
  end(): void;
  broken(failure: AttemptFailure): void;
}
