/** The ways in which clients ask for text: OpenAI's chat completions, completions and responses, Anthropic's messages. */
export type Dialect = "chat" | "completions" | "messages" | "responses";

/** A JSON object that was parsed and not yet looked into. */
export type JsonObject = Readonly<Record<string, unknown>>;
