/** A dialect that an engine's own server speaks. */
export type EngineDialect = "chat" | "completions" | "messages";

/** How an engine of a kind is asked to go on with an answer that it (or another) began. */
export type ContinuationWay =
  /** The last message is the assistant's; `continue_final_message: true, add_generation_prompt: false` (vLLM, SGLang, embedded). */
  | "continue-final-message"
  /** The last message is the assistant's, and nothing else says so (llama-server, Anthropic). */
  | "assistant-prefill";

/** What the HTTP server of a kind of engine serves itself. */
export interface EngineSurface {
  /** Best first. */
  readonly dialects: readonly EngineDialect[];
  /** Paths beside those of its dialects: the client's path, and the engine's own where it differs. */
  readonly paths: Readonly<Record<string, string>>;
  /** How chat is continued; absent where it cannot be. Completions are continued by their prompt everywhere. */
  readonly continuesChat?: ContinuationWay;
  /** Counts the tokens of a text with the model's tokenizer; absent where there is no such endpoint. */
  readonly tokenize?: {
    readonly path: string;
    /** Body for a text; `model` is the name by which the engine knows its model. */
    body(text: string, model: string): string;
    /** Number of tokens in its answer, `undefined` when it is none. */
    count(body: string): number | undefined;
  };
  /** Takes `stream_options.include_usage`, and `top-level` parameters that it does not know do no harm. */
  readonly countsStreams: boolean;
}
