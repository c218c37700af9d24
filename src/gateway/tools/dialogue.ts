import type { JsonObject } from "../../dialects/dialect.ts";
import type { InsideAnswer } from "../inside-call.ts";
import type { Listing, OfferedTool } from "./offered-tools.ts";
import type { HostedCall, LoopManner, LoopStop, ModelCall } from "./tool-loop.ts";

/** What came of a call, in words for the model. */
export interface CallResult {
  readonly text: string;
  readonly isError: boolean;
}

/** How one answer of the model ended. */
export type RoundEnd =
  | { readonly kind: "answered"; readonly calls: readonly ModelCall[] }
  /** It is whole as far as it goes and nothing follows: the limit of tokens, a filter. */
  | { readonly kind: "over" }
  | { readonly kind: "broken" };

/** A call that the client agreed to in this request. */
export interface ApprovedCall extends HostedCall {
  readonly approval: string;
}

/** A request with hosted tools in the words of one dialect: what the model is asked next, what the client is told. */
export interface Dialogue {
  readonly path: string;
  readonly manner: LoopManner;
  /** The tools are known. Returns the calls that the client has agreed to. */
  offer(listings: readonly Listing[], tools: readonly OfferedTool[]): readonly ApprovedCall[];
  /** What the model is asked now. */
  ask(): JsonObject;
  /** One event of its answer; only for streams. */
  event(data: string): void;
  /** The answer has ended; `body` is that of one in one piece. */
  ended(body: Buffer): RoundEnd;
  began(call: HostedCall): void;
  returned(call: HostedCall, result: CallResult): void;
  /** The client has to agree to the call first. */
  asksFor(call: HostedCall): void;
  /** The answer is complete, or stopped by a bound. */
  finish(stop?: LoopStop): void;
  /** The gateway could not get an answer, or it broke. */
  fail(answer: InsideAnswer): void;
}
