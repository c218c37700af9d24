import type { EngineSurface } from "../engines/index.ts";
import type { AttemptFailure } from "./attempt-failure.ts";
import type { EngineRequest } from "./engine-request.ts";
import type { ReceivedHeaders } from "./http/engine-handler.ts";
import type { GatewayLimits } from "./limits.ts";
import type { Outlet } from "./outlet.ts";
import type { Outflow } from "./outflow.ts";
import type { Inflow } from "./inflow.ts";
import type { Usage } from "./usage.ts";

export type { ReceivedHeaders } from "./http/engine-handler.ts";

/** What one try may tell the request it belongs to. Exactly one of `finished`, `broken` and `cut` is called, once. */
export interface AttemptOwner {
  readonly limits: GatewayLimits;
  readonly service: string;
  readonly surface: EngineSurface;
  readonly request: EngineRequest;
  readonly outlet: Outlet;
  /** What the client has of a stream so far, over all tries; a new one while it has nothing. */
  outflow(): Outflow;
  /** How this engine's events become the stream's, where they are not. */
  inflow(): Inflow | undefined;
  /** True for a try that goes on with an answer of which the client has a part. */
  readonly resumes: boolean;
  /** The answer's first bytes are about to go out: what else is tried for it ends. The answer's head, flat. */
  head(received: ReceivedHeaders, outflow?: Outflow): string[];
  /** Bytes of the engine's answer came now, by `performance.now()`. */
  heard(now: number): void;
  /** A part of the answer's content went to the client, of what was heard last or after it. */
  said(): void;
  /** A whole answer with this status, as the client is to have it. */
  deliver(status: number, received: ReceivedHeaders, body: Buffer): void;
  /** The client has the whole answer. */
  finished(usage: Usage | undefined): void;
  /** The try failed and the client has seen nothing of it. */
  broken(failure: AttemptFailure): void;
  /** The try failed after the client had seen a part; nothing was told to it yet. */
  cut(failure: AttemptFailure): void;
  /** The gateway itself failed over the answer: it ends the request, whatever was called before. */
  fault(thrown: unknown): void;
}

/** How the body of an answer reaches the client. */
export interface Answer {
  data(chunk: Buffer): void;
  /** The same for bytes from `from` to `end` that are overwritten once this returns; false where it wants a chunk of its own. */
  lent?(bytes: Buffer, from: number, end: number): boolean;
  /** The engine ended the answer in good order. */
  end(): void;
  broken(failure: AttemptFailure): void;
}
