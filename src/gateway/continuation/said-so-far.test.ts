import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EngineDialect } from "../../engines/surface.ts";
import type { Said } from "./continuation.ts";
import { createSaidSoFar } from "./said-so-far.ts";

const LANES: readonly EngineDialect[] = ["chat", "completions", "messages"];

const event = (value: unknown, name?: string): string =>
  `${name === undefined ? "" : `event: ${name}\n`}data: ${JSON.stringify(value)}\n\n`;

/** A delta as engines of a lane write it; the second form has its members in another order, as llama-server has them. */
function delta(lane: EngineDialect, kind: "text" | "reasoning", text: string, form: boolean): string {
  if (lane === "messages") {
    const inner = kind === "text" ? { type: "text_delta", text } : { type: "thinking_delta", thinking: text };
    return event({ type: "content_block_delta", index: 0, delta: inner }, "content_block_delta");
  }
  const said =
    lane === "completions"
      ? { text }
      : { delta: kind === "text" ? { content: text } : { reasoning_content: text } };
  const head = { id: "x-1", created: 7, model: "m" };
  return event(
    form
      ? { choices: [{ finish_reason: null, index: 0, ...said }], ...head }
      : { ...head, choices: [{ index: 0, ...said, logprobs: null, finish_reason: null }], usage: null },
  );
}

function read(lane: EngineDialect, groups: readonly string[], readBetween = false): Said | undefined {
  const memory = createSaidSoFar(lane);
  for (const group of groups) {
    memory.see(Buffer.from(group));
    if (readBetween) memory.read();
  }
  return memory.read();
}

const texts = fc.array(
  fc.oneof(
    fc.string({ minLength: 1, unit: "binary" }),
    fc.constantFrom(
      '"',
      '\\"',
      "\\",
      "\n\n",
      "é",
      "😀",
      "\ud83d",
      "\ude00",
      '","content":"x',
      "data: [DONE]\n\n",
    ),
  ),
  { maxLength: 40 },
);

describe.each(LANES)("what was said in %s", (lane) => {
  test("is every text in order, however the events come together", () => {
    fc.assert(
      fc.property(texts, texts, fc.array(fc.boolean(), { maxLength: 20 }), (thoughts, said, forms) => {
        const thinking = lane === "completions" ? [] : thoughts;
        const events = [
          ...thinking.map((t) => ["reasoning", t] as const),
          ...said.map((t) => ["text", t] as const),
        ].map(([kind, text], i) => delta(lane, kind, text, forms[i % Math.max(1, forms.length)] ?? false));
        const expected = {
          text: said.join("").toWellFormed(),
          reasoning: thinking.join("").toWellFormed(),
          deltas: events.length,
        };
        const whole = read(lane, [": waiting\n\n", events.join("")]);
        // Half a surrogate of its own cannot be sent; two that follow each other are one character again.
        expect({
          ...whole,
          text: whole?.text.toWellFormed(),
          reasoning: whole?.reasoning.toWellFormed(),
        }).toMatchObject(events.length === 0 ? {} : expected);
        expect(read(lane, [": waiting\n\n", ...events])).toEqual(whole);
        expect(read(lane, [": waiting\n\n", ...events], true)).toEqual(whole);
        const windows = events.map((one) => one.replaceAll("\n", "\r\n"));
        expect(read(lane, [": waiting\r\n\r\n", ...windows])).toEqual(whole);
      }),
      { numRuns: 150 },
    );
  });

  test("hostile events break nothing, and mean the same in whatever groups they come", () => {
    const hostile = fc.oneof(
      fc.json().map((json) => `data: ${json}\n\n`),
      fc.string({ unit: "binary" }).map((text) => `data: ${text.replaceAll(/[\r\n]/g, " ")}\n\n`),
      fc.constantFrom(
        "data: [DONE]\n\n",
        "data:\n\n",
        ": comment\n\n",
        "event: x\n\n",
        'data: {"choices":[{"index":0,"delta":{"content":"\\q"}}]}\n\n',
        'data: {"choices":[null,7,{"delta":null}]}\n\n',
        'data: {"choices":[{"index":0,"delta":{"content":"a","tool_calls":[{"index":0}]}}]}\n\n',
        'data: {"choices":[{"index":0,"delta":{"content":"a","x":"b"}}]}\n\n',
        'data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}}\n\n',
      ),
      fc.string({ minLength: 1 }).map((text) => delta(lane, "text", text, false)),
    );
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 30 }), (events) => {
        const whole = read(lane, [events.join("")]);
        expect(read(lane, events)).toEqual(whole);
        expect(read(lane, events, true)).toEqual(whole);
      }),
      { numRuns: 200 },
    );
  });

  test("a long answer is kept, in little more than its text, and one that is too long is forgotten", () => {
    const memory = createSaidSoFar(lane);
    const part = "word ".repeat(20);
    let expected = "";
    for (let i = 0; i < 4000; i++) {
      memory.see(Buffer.from(delta(lane, "text", part, true)));
      expected += part;
    }
    expect(memory.read()?.text === expected).toBe(true);
    expect(memory.read()?.deltas).toBe(4000);
    expect(memory.held).toBe(2 * expected.length);
    const megabyte = delta(lane, "text", "x".repeat(2 ** 20), false);
    for (let i = 0; i < 4; i++) memory.see(Buffer.from(megabyte));
    expect(memory.read()).toBeUndefined();
    expect(memory.held).toBe(0);
    memory.see(Buffer.from(megabyte));
    expect(memory.held).toBe(0);
  });
});

const chunk = (choice: object, more: object = {}): string =>
  event({ id: "c", created: 5, model: "m", choices: [{ index: 0, ...choice }], ...more });

test("what an answer is besides its text is told apart", () => {
  const cases: readonly (readonly [string, Partial<Said>])[] = [
    [
      chunk({ delta: { role: "assistant", content: "" } }),
      { id: "c", created: 5, model: "m", text: "", deltas: 0 },
    ],
    [chunk({ delta: { tool_calls: [{ index: 0, function: { name: "f" } }] } }), { toolCall: true }],
    [chunk({ delta: { refusal: "No." } }), { toolCall: true }],
    [chunk({ delta: { content: "a" }, logprobs: { content: [] } }), { logprobs: true }],
    [chunk({ index: 1, delta: { content: "a" } }), { several: true }],
    [chunk({ delta: {}, finish_reason: "stop" }), { finished: true }],
    [chunk({ delta: { content: "a" } }) + chunk({ delta: { reasoning: "b" } }), { mixed: true }],
    ["data: [DONE]\n\n", { finished: true }],
  ];
  for (const [events, expected] of cases) expect(read("chat", [events])).toMatchObject(expected);
});

test("an error event, or one that is none, makes the rest unreadable", () => {
  expect(
    read("chat", [chunk({ delta: { content: "a" } }), 'data: {"error":{"message":"x"}}\n\n']),
  ).toBeUndefined();
  expect(read("chat", [chunk({ delta: { content: "a" } }), 'data: {"choices":[\n\n'])).toBeUndefined();
  expect(read("messages", ['event: error\ndata: {"type":"error","error":{}}\n\n'])).toBeUndefined();
});

test("a message of Anthropic's: its id, model, blocks and end", () => {
  const begun = [
    event(
      { type: "message_start", message: { id: "msg_1", model: "claude", usage: { input_tokens: 9 } } },
      "message_start",
    ),
    event({ type: "ping" }, "ping"),
    event({ type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "" } }),
    event({ type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "hm" } }),
    event({ type: "content_block_delta", index: 0, delta: { type: "signature_delta", signature: "zz" } }),
    event({ type: "content_block_stop", index: 0 }),
    event({ type: "content_block_start", index: 1, content_block: { type: "text", text: "" } }),
    event({ type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "Hi" } }),
  ];
  expect(read("messages", begun)).toMatchObject({
    id: "msg_1",
    model: "claude",
    text: "Hi",
    reasoning: "hm",
    deltas: 2,
    finished: false,
    toolCall: false,
    block: { index: 1, open: true, type: "text" },
  });
  const tool = event({
    type: "content_block_start",
    index: 2,
    content_block: { type: "tool_use", id: "t", name: "f", input: {} },
  });
  expect(read("messages", [...begun, tool])?.toolCall).toBe(true);
  const over = event({
    type: "message_delta",
    delta: { stop_reason: "end_turn" },
    usage: { output_tokens: 3 },
  });
  expect(read("messages", [...begun, over])?.finished).toBe(true);
});
