import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { Dialect, JsonObject } from "../../src/dialects/index.ts";
import { findTranslation } from "../../src/dialects/index.ts";
import { dataOf, translated } from "./official-clients.ts";

function request(from: Dialect, to: Dialect, body: JsonObject): JsonObject {
  const way = findTranslation(from, to);
  if (way === undefined) throw new Error(`no way from ${from} to ${to}`);
  return way.request(body);
}

const words = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
const input = fc.dictionary(words, fc.oneof(words, fc.integer(), fc.boolean(), fc.array(fc.integer())), {
  maxKeys: 3,
});
const text = fc.record({ type: fc.constant("text"), text: words });
const image = fc.oneof(
  fc.record({
    type: fc.constant("image"),
    source: fc.record({
      type: fc.constant("base64"),
      media_type: fc.constantFrom("image/png", "image/jpeg"),
      data: fc.base64String({ minLength: 4, maxLength: 16 }),
    }),
  }),
  fc.constant({ type: "image", source: { type: "url", url: "https://x.test/a.png" } }),
);
const thought = fc.record({ type: fc.constant("thinking"), thinking: words, signature: words });
const redacted = fc.record({ type: fc.constant("redacted_thinking"), data: words });

/** Calls of one turn, and the results of all of them in the next one. */
const exchange = fc
  .tuple(
    fc.array(fc.oneof(thought, redacted), { maxLength: 2 }),
    fc.option(text, { nil: undefined }),
    fc.array(
      fc.tuple(input, fc.oneof(words, fc.array(fc.oneof(text, image), { minLength: 2, maxLength: 3 }))),
      {
        minLength: 1,
        maxLength: 3,
      },
    ),
    fc.array(fc.oneof(text, image), { maxLength: 2 }),
  )
  .map(([thoughts, said, calls, more]): JsonObject[] => [
    {
      role: "assistant",
      content: [
        ...thoughts,
        ...(said === undefined ? [] : [said]),
        ...calls.map(([given], at) => ({ type: "tool_use", id: `t${at}`, name: "f", input: given })),
      ],
    },
    {
      role: "user",
      content: [
        ...calls.map(([, content], at) => ({ type: "tool_result", tool_use_id: `t${at}`, content })),
        ...more,
      ],
    },
  ]);

const conversation = fc
  .tuple(
    fc.array(fc.oneof(text, image), { minLength: 1, maxLength: 3 }),
    fc.array(exchange, { maxLength: 3 }),
  )
  .map(([first, rest]): JsonObject[] => [{ role: "user", content: first }, ...rest.flat()]);

const textOf = (block: unknown): string | undefined =>
  typeof block === "object" && block !== null && "text" in block && typeof block.text === "string"
    ? block.text
    : undefined;

/** Texts that stand beside each other are one on the way: what a model reads is the same. */
function joined(messages: unknown): unknown {
  const parsed: unknown = JSON.parse(JSON.stringify(messages), (_key, value: unknown) => {
    if (!Array.isArray(value)) return value;
    const out: unknown[] = [];
    for (const block of value) {
      const before = textOf(out.at(-1));
      const text = textOf(block);
      if (before !== undefined && text !== undefined) out.pop();
      out.push(text === undefined ? block : { text: before === undefined ? text : `${before}\n${text}` });
    }
    return out.length === 1 ? (textOf(out[0]) ?? out) : out;
  });
  return parsed;
}

describe("there and back", () => {
  test("a conversation of Anthropic's dialect keeps its meaning through a chat", () => {
    fc.assert(
      fc.property(conversation, words, (messages, system) => {
        const body = {
          model: "m",
          max_tokens: 5000,
          system: [{ type: "text", text: system }],
          messages,
          tools: [{ name: "f", description: system, input_schema: { type: "object", properties: {} } }],
          tool_choice: { type: "tool", name: "f", disable_parallel_tool_use: true },
          stop_sequences: [system],
          metadata: { user_id: system },
          output_config: { format: { type: "json_schema", schema: { type: "object" } } },
          thinking: { type: "enabled", budget_tokens: 4096 },
        };
        const { messages: back, ...settings } = request(
          "chat",
          "messages",
          request("messages", "chat", body),
        );
        const { messages: _messages, ...asked } = body;
        expect(settings).toEqual(asked);
        expect(joined(back)).toEqual(joined(messages));
      }),
      { numRuns: 150 },
    );
  });

  const part = fc.oneof(
    fc.record({ kind: fc.constant("text"), text: words }),
    fc.record({ kind: fc.constant("reasoning"), text: words }),
    fc.record({ kind: fc.constant("call"), text: fc.json({ maxDepth: 1 }).map((json) => `{"a":${json}}`) }),
  );

  /** Cuts a text into pieces of a few characters, never inside one. */
  const pieces = (whole: string, size: number): string[] =>
    whole.match(new RegExp(`.{1,${size}}`, "gsu")) ?? [];

  test("a stream of a chat keeps every character through Anthropic's dialect, arguments byte for byte", () => {
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 5 }),
        (parts, size) => {
          let calls = 0;
          const deltas = parts.flatMap(({ kind, text: said }): JsonObject[] => {
            if (kind === "text") return pieces(said, size).map((content) => ({ content }));
            if (kind === "reasoning")
              return pieces(said, size).map((reasoning_content) => ({ reasoning_content }));
            const index = calls++;
            return [
              { tool_calls: [{ index, id: `c${index}`, function: { name: "f", arguments: "" } }] },
              ...pieces(said, size).map((args) => ({
                tool_calls: [{ index, function: { arguments: args } }],
              })),
            ];
          });
          const events = deltas.map((delta) => ({ id: "1", model: "m", choices: [{ index: 0, delta }] }));
          const through = translated("chat", "messages", dataOf(translated("messages", "chat", events)));
          expect(gathered(dataOf(through))).toEqual(gathered(events.map((event) => JSON.stringify(event))));
        },
      ),
      { numRuns: 150 },
    );
  });
});

interface Chunk {
  readonly choices: readonly {
    readonly delta: {
      readonly content?: string | null;
      readonly reasoning_content?: string;
      readonly tool_calls?: readonly {
        readonly index: number;
        readonly id?: string;
        readonly function: { readonly arguments: string };
      }[];
    };
  }[];
}

function gathered(events: readonly string[]): unknown {
  const said = { text: "", reasoning: "", ids: new Array<string>(), calls: new Array<string>() };
  for (const data of events) {
    if (data === "[DONE]") continue;
    const chunk: Chunk = JSON.parse(data);
    for (const { delta } of chunk.choices) {
      said.text += delta.content ?? "";
      said.reasoning += delta.reasoning_content ?? "";
      for (const call of delta.tool_calls ?? []) {
        if (call.id !== undefined) said.ids.push(call.id);
        said.calls[call.index] = (said.calls[call.index] ?? "") + call.function.arguments;
      }
    }
  }
  return said;
}
