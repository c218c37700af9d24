import type { JsonObject } from "../../dialects/dialect.ts";
import type { DeltaShape } from "./delta-shape.ts";

/** What a client has seen of an answer that was cut, read from the events that went to it. */
export interface Said {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly text: string;
  /** Thinking that came before the text, as the engine's `reasoning_content` (or thinking blocks) had it. */
  readonly reasoning: string;
  /** A tool call (or something else that is no text: audio, a refusal) has begun. */
  readonly toolCall: boolean;
  readonly logprobs: boolean;
  /** More than one choice. */
  readonly several: boolean;
  /** Thinking came after text: their order is not known any more. */
  readonly mixed: boolean;
  /** Deltas that carried content: at least this many tokens were generated. */
  readonly deltas: number;
  readonly finished: boolean;
  /** Messages only: the last content block that began. */
  readonly block?: { readonly index: number; readonly open: boolean; readonly type: string };
}

/** Remembers the events that went to a client, cheaply: they are parsed only when the memory is compacted or a cut happens. */
export interface SaidSoFar {
  /** Whole events, as they were sent in the lane's dialect. */
  see(events: Buffer): void;
  /** The same for whole events of this shape and nothing else, from `from` to `end`; nothing of the bytes is kept. */
  seeDeltas(shape: DeltaShape, bytes: Buffer, from: number, end: number): void;
  /** `undefined` when it was more than is kept, or was not understood: then nothing can be continued. */
  read(): Said | undefined;
  /** Bytes that it holds. */
  readonly held: number;
}

/** Joins the stream of the engine that goes on to what the client has: ids, roles, usage and finish reason stay coherent. */
export interface StreamJoiner {
  /** Wire text for one event (in the lane's dialect) of the engine that goes on; empty once it has refused. */
  event(data: string, name?: string): string;
  end(): string;
  /** Why this stream does not go on from what the client has; nothing of it went out. Asked after every event. */
  readonly refused: string | undefined;
}

/** How a cut answer goes on, or why it cannot. */
export type Continuation =
  | {
      /** In the lane's dialect. */
      readonly body: JsonObject;
      readonly joiner: StreamJoiner;
      /** Members to be set in the body once it has been translated to chat; in a body of chat they are already. */
      readonly flags: JsonObject;
    }
  | { readonly impossible: string };
