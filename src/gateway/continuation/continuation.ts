import type { JsonObject } from "../../dialects/dialect.ts";

/** What a client has seen of an answer that was cut, read from the events that went to it. */
export interface Said {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly text: string;
  /** Thinking that came before the text, as the engine's `reasoning_content` (or thinking blocks) had it. */
  readonly reasoning: string;
  /** A tool call has begun. */
  readonly toolCall: boolean;
  readonly logprobs: boolean;
  /** More than one choice. */
  readonly several: boolean;
  /** Deltas that carried content: at least this many tokens were generated. */
  readonly deltas: number;
  readonly finished: boolean;
}

/** Remembers the events that went to a client, cheaply: they are parsed only when the memory is compacted or a cut happens. */
export interface SaidSoFar {
  /** Whole events, as they were sent in the lane's dialect. */
  see(events: Buffer): void;
  /** `undefined` when it was more than is kept, or was not understood: then nothing can be continued. */
  read(): Said | undefined;
  /** Bytes that it holds. */
  readonly held: number;
}

/** Joins the stream of the engine that goes on to what the client has: ids, roles, usage and finish reason stay coherent. */
export interface StreamJoiner {
  /** Wire text for one event (in the lane's dialect) of the engine that goes on. */
  event(data: string, name?: string): string;
  end(): string;
}

/** How a cut answer goes on, or why it cannot. */
export type Continuation =
  | { readonly body: JsonObject; readonly joiner: StreamJoiner }
  | { readonly impossible: string };
