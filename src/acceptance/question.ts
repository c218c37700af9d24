/** Which of the two ways of asking for text a server takes. */
export type Dialect = "chat" | "completions";

export interface Question {
  readonly model: string;
  readonly prompt: string;
  /** Tokens of the answer at most. */
  readonly tokens: number;
  readonly dialect: Dialect;
  /** Ask the engine to go on to the last token; those that refuse the member are asked without. */
  readonly whole: boolean;
}

export const pathOf = ({ dialect }: Question): string =>
  dialect === "chat" ? "/chat/completions" : "/completions";

/** The body of a streamed question. The answer is the likeliest one, so that rounds differ in nothing but time. */
export const bodyOf = ({ model, prompt, tokens, dialect, whole }: Question): unknown => ({
  model,
  ...(dialect === "chat" ? { messages: [{ role: "user", content: prompt }] } : { prompt }),
  max_tokens: tokens,
  temperature: 0,
  stream: true,
  stream_options: { include_usage: true },
  // Understood by llama.cpp, vLLM and SGLang; llama.cpp tells its own timings in the last event.
  ...(whole ? { ignore_eos: true } : {}),
});
