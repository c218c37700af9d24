import type { JsonObject } from "../../dialects/dialect.ts";

/** Members of a request that its response repeats, with what OpenAI says where they are absent. */
const ECHOED: JsonObject = {
  instructions: null,
  max_output_tokens: null,
  max_tool_calls: null,
  metadata: {},
  parallel_tool_calls: true,
  previous_response_id: null,
  reasoning: { effort: null, summary: null },
  store: true,
  temperature: 1,
  text: { format: { type: "text" } },
  tool_choice: "auto",
  tools: [],
  top_p: 1,
  truncation: "disabled",
  user: null,
};

/** The response object of a request before anything is in it. `created` is seconds since the epoch. */
export function emptyResponse(request: JsonObject, id: string, created: number): JsonObject {
  const echoed = Object.entries(ECHOED).map(([name, absent]) => [name, request[name] ?? absent]);
  return {
    id,
    object: "response",
    created_at: created,
    status: "in_progress",
    background: false,
    error: null,
    incomplete_details: null,
    model: request["model"] ?? "",
    output: [],
    usage: null,
    ...Object.fromEntries(echoed),
  };
}
