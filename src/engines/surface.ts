/** A dialect that an engine's own server speaks. */
export type EngineDialect = "chat" | "completions" | "messages";

/** How an engine of a kind is asked to go on with an answer that it (or another) began. */
export type ContinuationWay =
  /** The last message is the assistant's; `continue_final_message: true, add_generation_prompt: false` (vLLM, SGLang, llama-server, embedded). */
  | "continue-final-message"
  /** The last message is the assistant's, and nothing else says so (Anthropic). */
  | "assistant-prefill";

/** What becomes of the begun message, by which follows where an answer with thinking can go on. */
export type PrefillForm =
  /** It is put as it is behind the prompt for an answer: thinking that came in a field of its own cannot be given back (SGLang, embedded). */
  | "as-text"
  /** As text too, and `reasoning_content` goes into the model's own tags: goes on within thinking or behind it (llama-server). */
  | "with-thinking"
  /** The chat template renders it, may strip its white space, and thinking must have ended (vLLM). */
  | "by-template"
  /** The API takes text only: no thinking, no white space at the end (Anthropic). */
  | "text-only";

/** What the HTTP server of a kind of engine serves itself. */
export interface EngineSurface {
  /** Best first. */
  readonly dialects: readonly EngineDialect[];
  /** Paths beside those of its dialects: the client's path, and the engine's own where it differs. */
  readonly paths: Readonly<Record<string, string>>;
  /** How chat is continued; absent where it cannot be. Completions are continued by their prompt everywhere. */
  readonly continuesChat?: ContinuationWay;
  /** Present with `continuesChat`. */
  readonly prefill?: PrefillForm;
  /** Tokens of a completion that names no limit; absent where there is none but the context. */
  readonly defaultCompletionTokens?: number;
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
  /** False where a `tool_choice` that names a tool is read as "auto". */
  readonly knowsToolNames?: false;
  /** Words of its answers of status 500 whose fault is the request's; absent where its status tells the two apart. */
  readonly requestFaults?: RegExp;
  /** Completions are asked in another protocol than OpenAI's; absent where they are not. */
  readonly completionsBy?: "triton-generate";
}
