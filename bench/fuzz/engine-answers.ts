import { jsonBytes, mutated } from "./mutate.ts";
import type { Random } from "./random.ts";

type Shape = "chat" | "completions" | "messages" | "triton" | "embeddings" | "rerank" | "score" | "count";

const WORDS = [
  "Hello",
  " world",
  "Grüße",
  " 😀",
  "世界",
  "",
  " \n",
  '"finish_reason":"stop"',
  "data: [DONE]",
  "<think>",
  "\\",
] as const;
const usage = {
  prompt_tokens: 9,
  completion_tokens: 4,
  total_tokens: 13,
  prompt_tokens_details: { cached_tokens: 2 },
};
const words = (random: Random): string[] =>
  Array.from({ length: 1 + random.below(6) }, () => random.pick(WORDS));
const call = (id: string, args: string): object => ({
  id,
  type: "function",
  function: { name: "weather", arguments: args },
});

/** A whole answer of an engine that speaks `shape`. */
export function wholeAnswer(random: Random, shape: Shape): unknown {
  const text = words(random).join("");
  switch (shape) {
    case "chat": {
      const tools = random.chance(0.25);
      return {
        id: "chatcmpl-1",
        object: "chat.completion",
        created: 1,
        model: "engine",
        choices: [
          {
            index: 0,
            message: {
              role: "assistant",
              content: tools ? null : text,
              ...(random.chance(0.2) ? { reasoning_content: "hm" } : {}),
              ...(tools ? { tool_calls: [call("c1", '{"city":"Ulm"}'), call("c2", "{}")] } : {}),
            },
            finish_reason: tools ? "tool_calls" : random.pick(["stop", "length", "content_filter"]),
          },
        ],
        usage,
      };
    }
    case "completions":
      return {
        id: "cmpl-1",
        object: "text_completion",
        created: 1,
        model: "engine",
        choices: [{ index: 0, text, logprobs: null, finish_reason: "stop" }],
        usage,
      };
    case "messages":
      return {
        id: "msg_1",
        type: "message",
        role: "assistant",
        model: "engine",
        content: [
          ...(random.chance(0.3) ? [{ type: "thinking", thinking: "hm", signature: "s" }] : []),
          { type: "text", text },
          ...(random.chance(0.3)
            ? [{ type: "tool_use", id: "t1", name: "weather", input: { city: "Ulm" } }]
            : []),
        ],
        stop_reason: random.pick(["end_turn", "max_tokens", "tool_use", "stop_sequence"]),
        stop_sequence: null,
        usage: { input_tokens: 9, output_tokens: 4, cache_read_input_tokens: 2 },
      };
    case "triton":
      return {
        model_name: "m",
        text_output: text,
        finish_reason: "stop",
        num_input_tokens: 9,
        num_output_tokens: 4,
      };
    case "embeddings":
      return {
        object: "list",
        data: [{ object: "embedding", index: 0, embedding: [0.1, 0.2] }],
        model: "engine",
        usage,
      };
    case "rerank":
      return {
        id: "r",
        model: "engine",
        results: [0, 1, 2].map((index) => ({ index, relevance_score: 0.5 - index })),
        usage,
      };
    case "score":
      return { id: "s", data: [0, 1].map((index) => ({ index, object: "score", score: 0.5 })), usage };
    case "count":
      return { input_tokens: 12, count: 12, tokens: [1, 2, 3], prompt: "hi" };
  }
}

/** The events of a stream of an engine that speaks `shape`: each a name, where it has one, and data. */
function streamEvents(random: Random, shape: Shape): { readonly name?: string; readonly data: unknown }[] {
  const said = words(random);
  switch (shape) {
    case "completions":
      return [
        ...said.map((text) => ({ data: completionChunk(text, null) })),
        { data: { ...completionChunk("", "stop"), usage } },
        { data: "[DONE]" },
      ];
    case "messages":
      return messageEvents(random, said);
    case "triton":
      return [
        ...said.map((text) => ({ data: { text_output: text, finish_reason: "None", num_output_tokens: 1 } })),
        { data: { text_output: "", finish_reason: "stop", num_input_tokens: 9, num_output_tokens: 0 } },
      ];
    default:
      return chatEvents(random, said);
  }
}

const completionChunk = (text: string, reason: string | null): object => ({
  id: "cmpl-1",
  object: "text_completion",
  created: 1,
  model: "engine",
  choices: [{ index: 0, text, finish_reason: reason }],
});

const chunk = (delta: object, reason: string | null = null): { data: unknown } => ({
  data: {
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 1,
    model: "engine",
    choices: [{ index: 0, delta, finish_reason: reason }],
  },
});

function chatEvents(random: Random, said: readonly string[]): { readonly data: unknown }[] {
  const tools = random.chance(0.2);
  const thinks = random.chance(0.2);
  return [
    chunk({ role: "assistant", content: "" }),
    ...(thinks ? [chunk({ reasoning_content: "hm" }), chunk({ reasoning_content: " so" })] : []),
    ...said.map((content) => chunk({ content })),
    ...(tools
      ? [
          chunk({ tool_calls: [{ index: 0, ...call("c1", "") }] }),
          chunk({ tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] }),
          chunk({ tool_calls: [{ index: 1, ...call("c2", "{}") }] }),
          chunk({ tool_calls: [{ index: 0, function: { arguments: '"Ulm"}' } }] }),
        ]
      : []),
    chunk({}, tools ? "tool_calls" : random.pick(["stop", "length"])),
    ...(random.chance(0.7)
      ? [
          {
            data: {
              id: "chatcmpl-1",
              object: "chat.completion.chunk",
              created: 1,
              model: "engine",
              choices: [],
              usage,
            },
          },
        ]
      : []),
    { data: "[DONE]" },
  ];
}

const event = (name: string, rest: object): { name: string; data: unknown } => ({
  name,
  data: { type: name, ...rest },
});
const delta = (index: number, rest: object): ReturnType<typeof event> =>
  event("content_block_delta", { index, delta: rest });

function messageEvents(
  random: Random,
  said: readonly string[],
): { readonly name: string; readonly data: unknown }[] {
  const tools = random.chance(0.25);
  return [
    event("message_start", {
      message: {
        id: "msg_1",
        type: "message",
        role: "assistant",
        model: "engine",
        content: [],
        stop_reason: null,
        usage: { input_tokens: 9, output_tokens: 1 },
      },
    }),
    event("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
    event("ping", {}),
    ...said.map((text) => delta(0, { type: "text_delta", text })),
    event("content_block_stop", { index: 0 }),
    ...(tools
      ? [
          event("content_block_start", {
            index: 1,
            content_block: { type: "tool_use", id: "t1", name: "weather", input: {} },
          }),
          delta(1, { type: "input_json_delta", partial_json: '{"city":' }),
          delta(1, { type: "input_json_delta", partial_json: '"Ulm"}' }),
          event("content_block_stop", { index: 1 }),
        ]
      : []),
    event("message_delta", {
      delta: { stop_reason: tools ? "tool_use" : "end_turn" },
      usage: { output_tokens: 5 },
    }),
    event("message_stop", {}),
  ];
}

const NOISE = [
  ": still here",
  "event: ping",
  "id: 7",
  "retry: 10",
  "data:",
  "data: {}",
  "error: {}",
] as const;

/** A stream's bytes (latin1), with some of its events changed within their grammar where `wild`. */
export function streamBytes(random: Random, shape: Shape, wild: boolean): string {
  const eol = random.chance(0.15) ? "\r\n" : "\n";
  let events = streamEvents(random, shape);
  if (wild && random.chance(0.3)) {
    const at = random.below(events.length);
    const event = events[at];
    if (event !== undefined) {
      events = random.pick([events.toSpliced(at, 1), events.toSpliced(at, 0, event), events.toReversed()]);
    }
  }
  const texts = events.map(({ name, data }) => {
    const changed = wild && random.chance(0.3) ? mutated(random, data) : data;
    const bytes = changed === "[DONE]" ? changed : jsonBytes(changed);
    const colon = random.chance(0.1) ? "data:" : "data: ";
    const noise = random.chance(0.05) ? `${random.pick(NOISE)}${eol}${random.chance(0.5) ? eol : ""}` : "";
    return `${noise}${name === undefined ? "" : `event: ${name}${eol}`}${colon}${bytes}${eol}${eol}`;
  });
  if (wild && random.chance(0.1)) {
    texts.splice(
      random.below(texts.length),
      0,
      `data: {"error":{"message":"engine failed","code":500}}${eol}${eol}`,
    );
  }
  return texts.join("");
}

export type { Shape };
