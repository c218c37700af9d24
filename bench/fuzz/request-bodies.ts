import type { Random } from "./random.ts";

const MODELS = [
  "any",
  "chat",
  "mixed",
  "text",
  "single",
  "claude",
  "openai",
  "llama",
  "vllm",
  "triton",
  "none",
] as const;
const MODEL_SHARES = ["any", "mixed", "any", "mixed", ...MODELS] as const;
export const SERVICES = [
  "openai",
  "openai-2",
  "claude",
  "claude-2",
  "llama",
  "llama-2",
  "vllm",
  "vllm-2",
  "triton",
] as const;

const TEXTS = ["Say hello.", "Grüße, 世界 😀", "", "a".repeat(2_000), 'Quote "this"\nand \\that'] as const;
const SCHEMA = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const some = (random: Random, share: number, members: Record<string, unknown>): Record<string, unknown> =>
  random.chance(share) ? members : {};

const sampling = (random: Random): Record<string, unknown> => ({
  ...some(random, 0.5, { stream: random.chance(0.85) }),
  ...some(random, 0.2, { temperature: random.next() }),
  ...some(random, 0.1, { top_p: 0.9 }),
  ...some(random, 0.1, { stop: ["\n"] }),
  ...some(random, 0.1, { seed: 7 }),
});

/** A valid chat request. */
function chat(random: Random): unknown {
  const tools = [{ type: "function", function: { name: "weather", description: "w", parameters: SCHEMA } }];
  return {
    model: random.pick(MODEL_SHARES),
    messages: [
      ...(random.chance(0.3) ? [{ role: "system", content: "Be short." }] : []),
      {
        role: "user",
        content: random.chance(0.2)
          ? [
              { type: "text", text: random.pick(TEXTS) },
              { type: "image_url", image_url: { url: `data:image/png;base64,${PIXEL}` } },
            ]
          : random.pick(TEXTS),
      },
      ...(random.chance(0.2)
        ? [
            {
              role: "assistant",
              content: null,
              tool_calls: [
                {
                  id: "call_1",
                  type: "function",
                  function: { name: "weather", arguments: '{"city":"Ulm"}' },
                },
              ],
            },
            { role: "tool", tool_call_id: "call_1", content: "rain" },
          ]
        : []),
    ],
    ...sampling(random),
    ...some(random, 0.3, { stream_options: { include_usage: random.chance(0.7) } }),
    ...some(random, 0.2, { tools, tool_choice: random.pick(["auto", "none", "required"]) }),
    ...some(random, 0.1, {
      response_format: { type: "json_schema", json_schema: { name: "c", schema: SCHEMA } },
    }),
    ...some(random, 0.1, { max_tokens: random.below(500) }),
    ...some(random, 0.05, { n: 2 }),
    ...some(random, 0.05, { logprobs: true, top_logprobs: 2 }),
    ...some(random, 0.05, { tools: [{ type: "mcp", server_label: "lab", allowed_tools: ["echo"] }] }),
  };
}

const completion = (random: Random): unknown => ({
  model: random.pick(["text", "mixed", ...MODELS]),
  prompt: random.chance(0.1) ? [random.pick(TEXTS)] : random.pick(TEXTS),
  max_tokens: 20,
  ...sampling(random),
  ...some(random, 0.2, { stream_options: { include_usage: true } }),
  ...some(random, 0.05, { echo: true }),
});

const message = (random: Random): unknown => ({
  model: random.pick(MODEL_SHARES),
  max_tokens: 100,
  messages: [
    { role: "user", content: random.pick(TEXTS) },
    ...(random.chance(0.3)
      ? [
          {
            role: "assistant",
            content: [
              { type: "thinking", thinking: "hm", signature: "s" },
              { type: "text", text: "I look." },
              { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Ulm" } },
            ],
          },
          { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "rain" }] },
        ]
      : []),
  ],
  ...some(random, 0.3, { system: "Be short." }),
  ...some(random, 0.3, { tools: [{ name: "weather", description: "w", input_schema: SCHEMA }] }),
  ...some(random, 0.1, { thinking: { type: "enabled", budget_tokens: 1024 } }),
  ...some(random, 0.6, { stream: random.chance(0.85) }),
});

const response = (random: Random): unknown => ({
  model: random.pick(MODEL_SHARES),
  input: random.chance(0.4)
    ? random.pick(TEXTS)
    : [
        { role: "user", content: [{ type: "input_text", text: random.pick(TEXTS) }] },
        ...(random.chance(0.3)
          ? [
              { type: "function_call", call_id: "c1", name: "weather", arguments: "{}" },
              { type: "function_call_output", call_id: "c1", output: "rain" },
            ]
          : []),
      ],
  ...some(random, 0.6, { stream: random.chance(0.85) }),
  ...some(random, 0.3, { instructions: "Be short." }),
  ...some(random, 0.3, { store: random.chance(0.5) }),
  ...some(random, 0.2, { tools: [{ type: "function", name: "weather", parameters: SCHEMA }] }),
  ...some(random, 0.1, { tools: [{ type: "mcp", server_label: "lab" }] }),
  ...some(random, 0.1, { previous_response_id: "resp_1" }),
});

const rerank = (random: Random): unknown => ({
  model: random.pick(["any", "vllm", "llama", "openai"]),
  query: "water",
  documents: ["rain", { text: "sun" }, "snow"].slice(0, 1 + random.below(3)),
  ...some(random, 0.3, { top_n: 2 }),
  ...some(random, 0.3, { return_documents: true }),
});

const score = (random: Random): unknown => ({
  model: random.pick(["any", "vllm", "llama"]),
  text_1: random.chance(0.5) ? "water" : ["water", "fire"],
  text_2: ["rain", "sun"],
});

const batch = (): unknown => ({
  input_file_id: "{file}",
  endpoint: "/v1/chat/completions",
  completion_window: "24h",
  metadata: { of: "fuzz" },
});

/** Paths whose bodies are JSON, and a valid body for each. */
export const JSON_BODIES: Readonly<Record<string, (random: Random) => unknown>> = {
  "/v1/chat/completions": chat,
  "/v1/completions": completion,
  "/v1/messages": message,
  "/v1/messages/count_tokens": message,
  "/v1/responses": response,
  "/v1/embeddings": (random) => ({ model: random.pick(MODELS), input: [random.pick(TEXTS)] }),
  "/v1/rerank": rerank,
  "/v2/rerank": rerank,
  "/rerank": rerank,
  "/v1/score": score,
  "/v1/moderations": (random) => ({ model: "openai", input: random.pick(TEXTS) }),
  "/v1/audio/speech": (random) => ({ model: "openai", voice: "v", input: random.pick(TEXTS) }),
  "/v1/images/generations": () => ({ model: "openai", prompt: "a pixel" }),
  "/v1/batches": batch,
};

/** Paths that are asked without a body. */
export const PLAIN_PATHS = [
  "GET /v1/models",
  "GET /v1/models/any",
  "GET /v1/files",
  "GET /v1/files/{file}",
  "GET /v1/files/{file}/content",
  "GET /v1/batches",
  "GET /v1/batches/batch_1",
  "GET /v1/responses/resp_1",
  "DELETE /v1/responses/resp_1",
  "GET /v1/responses/resp_1/input_items",
  "POST /v1/batches/batch_1/cancel",
  "DELETE /v1/files/file-none",
  "GET /api/status",
  "GET /api/events?after=0&limit=3",
  "GET /api/requests?limit=3",
  "GET /api/hardware",
  "GET /metrics",
  "GET /healthz",
  "GET /readyz",
  "GET /",
  "POST /api/services/llama/restart",
] as const;

const BOUNDARY = "------------------------fuzz";

/** A form with a model and a file, and its media type. */
export function formBody(
  random: Random,
  fields: Readonly<Record<string, string>>,
): readonly [type: string, body: string] {
  const parts = Object.entries(fields).map(
    ([name, value]) => `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const file = `--${BOUNDARY}\r\ncontent-disposition: form-data; name="file"; filename="a.jsonl"\r\ncontent-type: application/octet-stream\r\n\r\n${random.pick(["RIFF0000WAVE", batchLine, "", "\r\n--x\r\n"])}\r\n`;
  return [`multipart/form-data; boundary=${BOUNDARY}`, `${parts.join("")}${file}--${BOUNDARY}--\r\n`];
}

/** A line of a batch that engines answer. */
export const batchLine = `${JSON.stringify({
  custom_id: "one",
  method: "POST",
  url: "/v1/chat/completions",
  body: { model: "any", messages: [{ role: "user", content: "hi" }] },
})}\n`;
