import { expect, test } from "vitest";
import { surfaceOf } from "../../engines/index.ts";
import type { EngineDialect } from "../../engines/surface.ts";
import type { StreamJoiner } from "./continuation.ts";
import { continuedComment } from "./continued-comment.ts";
import { continueWith } from "./continue-with.ts";
import { createSaidSoFar } from "./said-so-far.ts";

const QUESTION = { role: "user", content: "Tell." };

interface Case {
  readonly lane: EngineDialect;
  readonly kind: string;
  readonly request?: object;
  readonly usageWanted?: boolean;
}

/** The joiner for a stream of which the client has these events. */
function joinerAfter(
  events: readonly object[],
  { lane, kind, request = {}, usageWanted = true }: Case,
): StreamJoiner {
  const memory = createSaidSoFar(lane);
  for (const event of events) memory.see(Buffer.from(`data: ${JSON.stringify(event)}\n\n`));
  const asked = { model: "m", prompt: "P", messages: [QUESTION], ...request };
  const continuation = continueWith(asked, lane, memory.read(), surfaceOf(kind), { usageWanted });
  if ("impossible" in continuation) throw new Error(continuation.impossible);
  return continuation.joiner;
}

const join = (joiner: StreamJoiner, events: readonly (object | string)[]): unknown[] =>
  events
    .map((event) => (typeof event === "string" ? event : JSON.stringify(event)))
    .map((data) => joiner.event(data))
    .concat(joiner.end())
    .join("")
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => event.slice(event.indexOf("data: ") + 6))
    .map((data): unknown => (data === "[DONE]" ? data : JSON.parse(data)));

const delta = (id: string, value: object, more: object = {}) => ({
  id,
  object: "chat.completion.chunk",
  created: id === "first" ? 7 : 99,
  model: id === "first" ? "node" : "other",
  choices: [{ index: 0, delta: value, finish_reason: null, ...more }],
});
const first = (text: string) => delta("first", { content: text });
const next = (text: string) => delta("next", { content: text });
const END = { ...delta("next", {}, { finish_reason: "stop" }) };
const usage = (prompt: number, completion: number) => ({
  ...delta("next", {}),
  choices: [],
  usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
});
const CHAT = { lane: "chat", kind: "vllm" } as const;

test("chat: one id, one role, one usage, the new engine's finish reason", () => {
  const joiner = joinerAfter(
    [delta("first", { role: "assistant", content: "" }), first("Hello"), first(" big")],
    CHAT,
  );
  const role = delta("next", { role: "assistant", content: "" });
  expect(join(joiner, [role, { ...next(" world"), usage: null }, END, usage(22, 5), "[DONE]"])).toEqual([
    { ...first(" world"), usage: null },
    { ...first(""), choices: END.choices },
    { ...first(""), choices: [], usage: { prompt_tokens: 20, completion_tokens: 7, total_tokens: 27 } },
    "[DONE]",
  ]);
  expect(joiner.refused).toBeUndefined();
});

test("chat: no more of the prompt was cached than there is", () => {
  const { usage: told } = usage(22, 5);
  const cached = {
    ...usage(22, 5),
    usage: { ...told, prompt_tokens_details: { cached_tokens: 21, audio_tokens: 0 } },
  };
  expect(join(joinerAfter([first("Hello"), first(" big")], CHAT), [cached])).toMatchObject([
    { usage: { prompt_tokens: 20, prompt_tokens_details: { cached_tokens: 20, audio_tokens: 0 } } },
  ]);
});

test("chat: without a wish for usage none goes out, also where it comes with the end", () => {
  const joiner = joinerAfter([first("Hello")], { ...CHAT, usageWanted: false });
  const events = [
    { ...next(" x"), usage: null },
    { ...END, usage: usage(9, 2).usage },
    usage(9, 2),
    "[DONE]",
  ];
  expect(join(joiner, events)).toEqual([first(" x"), { ...first(""), choices: END.choices }, "[DONE]"]);
});

test("chat: where nothing was said the stream is the new engine's own", () => {
  const joiner = joinerAfter([], CHAT);
  const role = delta("next", { role: "assistant" });
  expect(join(joiner, [role, next("Hi"), END, usage(5, 1), "[DONE]"])).toEqual([
    role,
    next("Hi"),
    END,
    usage(5, 1),
    "[DONE]",
  ]);
});

test("chat: white space that a template may strip is said again by the engine, and swallowed", () => {
  const joiner = () => joinerAfter([first("One."), first("\n\n")], CHAT);
  const again = joiner();
  expect(join(again, [next("\n"), next("\nTwo"), END, usage(10, 3)])).toMatchObject([
    first("Two"),
    { choices: END.choices },
    // One of two deltas was generated once more: 10 tokens of the prompt hold one of them.
    { usage: { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 } },
  ]);
  const else_ = joiner();
  expect(join(else_, [next(" "), next("Two")])).toEqual([]);
  expect(else_.refused).toMatch(/does not go on/);
  // An answer may end in white space.
  const over = joiner();
  expect(join(over, [END])).toMatchObject([{ choices: END.choices }]);
  expect(over.refused).toBeUndefined();
});

test("chat: an engine that thinks anew behind text is refused before anything of it goes out", () => {
  const joiner = joinerAfter([first("One")], CHAT);
  expect(
    join(joiner, [delta("next", { reasoning: "\n" }), delta("next", { reasoning: "hm" }), next(" two")]),
  ).toEqual([]);
  expect(joiner.refused).toMatch(/thinks anew/);
});

test("chat: thinking goes on, and then text", () => {
  const joiner = joinerAfter([delta("first", { reasoning_content: "hm" })], {
    lane: "chat",
    kind: "llama.cpp",
  });
  const events = [delta("next", { reasoning_content: " so" }), next("Text"), END];
  expect(join(joiner, events)).toMatchObject([
    { id: "first", choices: [{ delta: { reasoning_content: " so" } }] },
    { id: "first", choices: [{ delta: { content: "Text" } }] },
    { choices: END.choices },
  ]);
});

test("chat: a prefill that comes back in one piece is dropped, a text that repeats itself is not", () => {
  const words = Array.from({ length: 40 }, (_, i) => first(` ${i}`));
  const said = words.map((_, i) => ` ${i}`).join("");
  expect(join(joinerAfter(words, CHAT), [next(`${said} more`)])).toEqual([first(" more")]);
  expect(join(joinerAfter(words, CHAT), [next(" 0"), next(" 1")])).toEqual([first(" 0"), first(" 1")]);
  expect(join(joinerAfter([first("ha")], CHAT), [next("haha")])).toEqual([first("haha")]);
});

test("chat: where the limit was reached only the end is missing", () => {
  const joiner = joinerAfter([first("a"), first("b")], { ...CHAT, request: { max_tokens: 2 } });
  expect(
    join(joiner, [next("c"), delta("next", {}, { finish_reason: "length" }), usage(12, 1)]),
  ).toMatchObject([
    { choices: [{ delta: {}, finish_reason: "length" }] },
    { usage: { prompt_tokens: 10, completion_tokens: 2 } },
  ]);
});

test("chat: tool calls and errors pass", () => {
  const joiner = joinerAfter([first("I call")], CHAT);
  const call = {
    tool_calls: [{ index: 0, id: "t", type: "function", function: { name: "f", arguments: "{}" } }],
  };
  expect(join(joiner, [delta("next", call), { error: { message: "no" } }])).toMatchObject([
    { id: "first", choices: [{ delta: call }] },
    { error: { message: "no" } },
  ]);
});

test("completions are joined alike", () => {
  const text = (id: string, value: string, finish: string | null = null) => ({
    ...delta(id, {}),
    choices: [{ index: 0, text: value, finish_reason: finish }],
  });
  const joiner = joinerAfter([text("first", "a"), text("first", "b")], {
    lane: "completions",
    kind: "llama.cpp",
  });
  const last = {
    ...text("next", "", "stop"),
    usage: { prompt_tokens: 6, completion_tokens: 4, total_tokens: 10 },
  };
  expect(join(joiner, [text("next", ""), text("next", "c"), last, "[DONE]"])).toEqual([
    text("first", "c"),
    { ...text("first", "", "stop"), usage: { prompt_tokens: 4, completion_tokens: 6, total_tokens: 10 } },
    "[DONE]",
  ]);
});

const block = (index: number, type: string, more: object = {}) => ({
  type: "content_block_start",
  index,
  content_block: { type, ...more },
});
const textDelta = (index: number, text: string) => ({
  type: "content_block_delta",
  index,
  delta: { type: "text_delta", text },
});
const stop = (index: number) => ({ type: "content_block_stop", index });
const begun = {
  type: "message_start",
  message: { id: "msg_1", model: "claude", usage: { input_tokens: 9 } },
};
const again = {
  type: "message_start",
  message: { id: "msg_2", model: "claude", usage: { input_tokens: 11 } },
};
const over = {
  type: "message_delta",
  delta: { stop_reason: "end_turn", stop_sequence: null },
  usage: { output_tokens: 3 },
};
const MESSAGES = { lane: "messages", kind: "anthropic" } as const;

test("messages: the open text block goes on, and later blocks follow it", () => {
  const client = [begun, block(0, "text", { text: "" }), textDelta(0, "Hi"), textDelta(0, " ")];
  const joiner = joinerAfter(client, MESSAGES);
  const tool = block(1, "tool_use", { id: "t", name: "f", input: {} });
  const events = [
    again,
    block(0, "text", { text: "" }),
    textDelta(0, " you"),
    stop(0),
    tool,
    stop(1),
    over,
    { type: "message_stop" },
  ];
  expect(join(joiner, events)).toEqual([
    textDelta(0, "you"),
    stop(0),
    tool,
    stop(1),
    // One token was given and three generated, of which the space at the front was said before.
    { ...over, usage: { output_tokens: 4 } },
    { type: "message_stop" },
  ]);
});

test("messages: an open block ends before another kind begins, and before the end", () => {
  const client = [begun, block(0, "text", { text: "" }), textDelta(0, "Hi")];
  const tool = block(0, "tool_use", { id: "t", name: "f", input: {} });
  expect(join(joinerAfter(client, MESSAGES), [again, tool, stop(0), over])).toEqual([
    stop(0),
    { ...tool, index: 1 },
    stop(1),
    { ...over, usage: { output_tokens: 4 } },
  ]);
  expect(join(joinerAfter(client, MESSAGES), [again, over])).toEqual([
    stop(0),
    { ...over, usage: { output_tokens: 4 } },
  ]);
  const closed = [...client, stop(0)];
  expect(join(joinerAfter(closed, MESSAGES), [again, block(0, "text"), textDelta(0, "!"), stop(0)])).toEqual([
    block(1, "text"),
    textDelta(1, "!"),
    stop(1),
  ]);
});

test("messages: the limit was reached, and what does not go on is refused", () => {
  const client = [begun, block(0, "text", { text: "" }), textDelta(0, "Hi"), textDelta(0, "\n")];
  const exhausted = joinerAfter(client, { ...MESSAGES, request: { max_tokens: 2 } });
  expect(join(exhausted, [again, block(0, "text"), textDelta(0, "\n"), stop(0), over])).toEqual([
    stop(0),
    { ...over, delta: { stop_reason: "max_tokens", stop_sequence: null }, usage: { output_tokens: 2 } },
  ]);
  const other = joinerAfter(client, MESSAGES);
  expect(join(other, [again, block(0, "text"), textDelta(0, "!"), stop(0), over])).toEqual([]);
  expect(other.refused).toMatch(/does not go on/);
  const thinks = joinerAfter(client, MESSAGES);
  expect(join(thinks, [again, block(0, "thinking")])).toEqual([]);
  expect(thinks.refused).toMatch(/thinks anew/);
});

test("the comment says where and by whom, in one line", () => {
  expect(continuedComment("small\n two", 123)).toBe(": omni-continued service=small??two at=123\n\n");
});
