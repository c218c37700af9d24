import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { Dialect, JsonObject } from "../../src/dialects/index.ts";
import {
  countTokensRequest,
  DialectError,
  dialectNeeds,
  findTranslation,
  readEngineError,
  readEventUsage,
  readUsage,
} from "../../src/dialects/index.ts";

const WAYS: readonly (readonly [Dialect, Dialect])[] = [
  ["messages", "chat"],
  ["responses", "chat"],
  ["chat", "messages"],
  ["responses", "messages"],
];

/** Words of all dialects, so that what is made up gets past the first look. */
const NAMES = [
  "messages", "input", "system", "role", "content", "type", "text", "tools", "tool_choice", "tool_calls",
  "tool_use_id", "function", "name", "arguments", "source", "media_type", "data", "url", "image_url", "thinking",
  "signature", "output", "call_id", "id", "stop", "stop_sequences", "max_tokens", "metadata", "user_id", "format",
  "response_format", "json_schema", "schema", "reasoning", "effort", "summary", "choices", "delta", "message",
  "finish_reason", "usage", "prompt_tokens", "input_tokens", "index", "error", "content_block", "partial_json",
  "stop_reason", "response", "input_schema", "is_error", "encrypted_content", "__proto__", "constructor", "toString",
] as const; // prettier-ignore
const WORDS = [
  "user", "assistant", "system", "tool", "text", "image", "image_url", "tool_use", "tool_result", "thinking",
  "redacted_thinking", "function", "mcp", "message", "function_call", "function_call_output", "reasoning",
  "input_text", "input_image", "document", "base64", "url", "auto", "any", "required", "json_schema", "enabled",
  "message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta",
  "message_stop", "error", "text_delta", "input_json_delta", "thinking_delta", "signature_delta", "ping", "stop",
  "__proto__", "data:image/png;base64,AA", "https://x.test", "",
] as const; // prettier-ignore

const json = fc.letrec<{ value: unknown; object: JsonObject }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, depthSize: "medium" },
    fc.constantFrom(...WORDS),
    fc.constantFrom(null, true, false, 0, 1, -1, 1.5, Number.MAX_VALUE, "7", "[DONE]"),
    fc.string({ maxLength: 8 }),
    fc.array(tie("value"), { maxLength: 4 }),
    tie("object"),
    tie("object"),
  ),
  // As a parser makes it: `__proto__` is a member like any other.
  object: fc
    .array(fc.tuple(fc.constantFrom(...NAMES), tie("value")), { maxLength: 6 })
    .map((members): JsonObject => Object.fromEntries(members)),
}));

/** Only a `DialectError` may come out, and one that repeats no more than a few words of the request. */
function guarded<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof DialectError && error.message.length < 1000) return undefined;
    throw error;
  }
}

function translation(from: Dialect, to: Dialect) {
  const way = findTranslation(from, to);
  if (way === undefined) throw new Error(`no way from ${from} to ${to}`);
  return way;
}

const turns = fc.array(json.object, { minLength: 1, maxLength: 4 });
const body = fc.oneof(
  json.object,
  fc
    .tuple(json.object, turns)
    .map(([rest, messages]): JsonObject => ({ ...rest, messages, input: messages })),
  fc
    .tuple(json.object, fc.array(json.object, { maxLength: 3 }), fc.constantFrom("user", "assistant", "tool"))
    .map(([rest, content, role]): JsonObject => {
      const messages = [{ role, content, tool_call_id: "t" }];
      return { ...rest, messages, input: messages };
    }),
);

describe("JSON that means harm", () => {
  test.each(WAYS)("%s to %s: a request is translated or refused", (from, to) => {
    const way = translation(from, to);
    fc.assert(
      fc.property(body, (asked) => {
        const before = JSON.stringify(asked);
        guarded(() => JSON.stringify(way.request(asked)));
        expect(JSON.stringify(asked)).toBe(before);
      }),
      { numRuns: 250 },
    );
  });

  test.each(WAYS)("%s to %s: an answer is translated or refused", (from, to) => {
    const way = translation(from, to);
    fc.assert(
      fc.property(json.object, turns, json.object, (rest, parts, request) => {
        const said = [
          { ...rest, content: parts },
          { ...rest, choices: [{ message: parts[0], finish_reason: "stop" }] },
          rest,
        ];
        for (const given of said) guarded(() => JSON.stringify(way.answer(given, request)));
      }),
      { numRuns: 100 },
    );
  });

  test.each(WAYS)("%s to %s: a stream never throws", (from, to) => {
    const way = translation(from, to);
    const events = fc.array(
      fc.oneof(
        json.object,
        json.value,
        json.object.map((inner) => ({ choices: [{ delta: inner, finish_reason: inner["stop"] }] })),
        json.object.map((inner) => ({ choices: [{ delta: { tool_calls: [inner, inner] } }] })),
        json.object.map((inner) => ({ type: "content_block_start", content_block: inner })),
        json.object.map((inner) => ({ type: "content_block_delta", delta: inner })),
      ),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(events, json.object, (given, request) => {
        const translator = way.stream(request);
        for (const event of given) translator.event(JSON.stringify(event) ?? "", "x");
        translator.end();
        expect(translator.event("{}")).toBe("");
      }),
      { numRuns: 200 },
    );
  });

  test("reading usage, errors and needs never throws", () => {
    fc.assert(
      fc.property(
        json.object,
        fc.constantFrom<Dialect>("chat", "completions", "messages", "responses"),
        (given, dialect) => {
          readUsage(dialect, given);
          readEventUsage(dialect, given, { promptTokens: 1, completionTokens: 1 });
          dialectNeeds(dialect, given);
          expect(readEngineError(dialect, 500, JSON.stringify(given)).message).not.toBe("");
          guarded(() => countTokensRequest(given));
        },
      ),
      { numRuns: 250 },
    );
  });

  test("JSON deeper than 256 levels is refused without a stack overflow", () => {
    const deep: unknown = JSON.parse('{"a":'.repeat(100_000) + "1" + "}".repeat(100_000));
    const messages = [{ role: "user", content: "x" }];
    const tools = [
      { name: "f", input_schema: deep, type: "function", function: { name: "f", parameters: deep } },
    ];
    for (const [from, to] of WAYS) {
      const way = translation(from, to);
      expect(() => way.request({ messages, input: "x", tools })).toThrow("nests deeper than 256 levels");
    }
  });

  test("arguments nested deeper than a parser likes stay text", () => {
    const text = "[".repeat(200_000);
    const call = { index: 0, id: "a", function: { name: "f", arguments: text } };
    const events = [{ choices: [{ delta: { tool_calls: [call] }, finish_reason: "stop" }] }];
    const translator = translation("messages", "chat").stream({});
    const said = events.map((event) => translator.event(JSON.stringify(event))).join("") + translator.end();
    expect(said).toContain(JSON.stringify(text));
    const whole = { choices: [{ message: { tool_calls: [call] } }] };
    expect(translation("messages", "chat").answer(whole, {})["content"]).toMatchObject([
      { input: { raw_arguments: text } },
    ]);
  });

  test("a hundred thousand items are read in reasonable time", () => {
    const began = performance.now();
    const content = Array.from({ length: 100_000 }, () => ({ type: "text", text: "x" }));
    const said = translation("messages", "chat").request({ messages: [{ role: "user", content }] });
    expect(said["messages"]).toEqual([{ role: "user", content: `${"x\n".repeat(99_999)}x` }]);
    const input = Array.from({ length: 100_000 }, () => ({ role: "user", content: "x" }));
    const turns = translation("responses", "messages").request({ input })["messages"];
    expect(JSON.stringify(turns).length).toBeGreaterThan(100_000 * 20);
    expect(performance.now() - began).toBeLessThan(30_000);
  });

  test("a member named __proto__ changes nothing but is passed on where others are", () => {
    const asked: unknown = JSON.parse(
      '{"messages":[{"role":"user","content":"x"}],"__proto__":{"polluted":true}}',
    );
    const said = fc.sample(fc.constant(asked), 1).map((given) => guardedRequest(given));
    expect(JSON.stringify(said[0])).toContain('"__proto__":{"polluted":true}');
    expect(Object.getPrototypeOf(said[0])).toBe(Object.prototype);
    expect("polluted" in {}).toBe(false);
  });
});

function guardedRequest(given: unknown): JsonObject {
  if (typeof given !== "object" || given === null) throw new Error("no object");
  return translation("messages", "chat").request(Object.fromEntries(Object.entries(given)));
}
