import fc from "fast-check";
import { expect, test } from "vitest";
import type { ToolSyntax } from "./chat-template.ts";
import { ToolCallParser } from "./tool-call-parser.ts";
import { TOOL_NOTATIONS } from "./tool-syntax.ts";

interface Seen {
  text: string;
  calls: { name: string; arguments: string }[];
}

function read(syntax: ToolSyntax, pieces: readonly string[], opened = false, several = true): Seen {
  const parser = new ToolCallParser({ notation: TOOL_NOTATIONS[syntax], opened, several });
  const seen: Seen = { text: "", calls: [] };
  for (const event of [...pieces.flatMap((piece) => parser.push(piece)), ...parser.end()]) {
    if (event.kind === "text") seen.text += event.text;
    else if (event.kind === "call") seen.calls.push({ name: event.name, arguments: "" });
    else {
      const call = seen.calls[event.index];
      if (call === undefined) throw new Error("arguments came before their call");
      call.arguments += event.text;
    }
  }
  return seen;
}

const CASES: readonly [string, ToolSyntax, string, Seen][] = [
  [
    "one call",
    "hermes",
    '<tool_call>\n{"name": "f", "arguments": {"a": "x } y", "b": [1, {"c": 2}]}}\n</tool_call>',
    { text: "", calls: [{ name: "f", arguments: '{"a": "x } y", "b": [1, {"c": 2}]}' }] },
  ],
  [
    "text and two calls",
    "hermes",
    'Let me look.\n<tool_call>\n{"name": "f", "arguments": {"q":" a, b "}}\n</tool_call>\n<tool_call>\n{"arguments": {"b": 2}, "name": "g"}\n</tool_call>',
    {
      text: "Let me look.",
      calls: [
        { name: "f", arguments: '{"q":" a, b "}' },
        { name: "g", arguments: '{"b": 2}' },
      ],
    },
  ],
  [
    "no arguments",
    "hermes",
    '<tool_call>{"name": "now"}</tool_call>',
    { text: "", calls: [{ name: "now", arguments: "{}" }] },
  ],
  [
    "arguments as a string",
    "hermes",
    '<tool_call>{"name": "f", "arguments": "{\\"a\\": 1}"}</tool_call>',
    { text: "", calls: [{ name: "f", arguments: '{"a": 1}' }] },
  ],
  ["no call at all", "hermes", "a < b and <tool is a tag", { text: "a < b and <tool is a tag", calls: [] }],
  [
    "an opening without a call",
    "hermes",
    "<tool_call>never mind",
    { text: "<tool_call>never mind", calls: [] },
  ],
  [
    "Llama 3 bare",
    "llama3",
    '{"name": "f", "parameters": {"a": 1}}',
    { text: "", calls: [{ name: "f", arguments: '{"a": 1}' }] },
  ],
  ["Llama 3 plain answer", "llama3", "The answer is {42}.", { text: "The answer is {42}.", calls: [] }],
  [
    "Llama 3 JSON that is no call",
    "llama3",
    '{"answer": 42} done',
    { text: '{"answer": 42} done', calls: [] },
  ],
  [
    "Mistral list",
    "mistral",
    '[TOOL_CALLS][{"name": "f", "arguments": {"a": 1}}, {"name": "g", "arguments": {}}]',
    {
      text: "",
      calls: [
        { name: "f", arguments: '{"a": 1}' },
        { name: "g", arguments: "{}" },
      ],
    },
  ],
  [
    "Mistral named form",
    "mistral",
    '[TOOL_CALLS]f[ARGS]{"a": {"b": 1}}[TOOL_CALLS]g[ARGS]{}',
    {
      text: "",
      calls: [
        { name: "f", arguments: '{"a": {"b": 1}}' },
        { name: "g", arguments: "{}" },
      ],
    },
  ],
];

test.each(CASES)("%s", (_, syntax, text, expected) => {
  expect(read(syntax, [text])).toEqual(expected);
});

test("the result does not depend on how the text is cut", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...CASES),
      fc.array(fc.nat(200), { maxLength: 60 }),
      ([, syntax, text, expected], cuts) => {
        const at = [0, ...cuts.map((cut) => cut % (text.length + 1)).toSorted((a, b) => a - b), text.length];
        expect(
          read(
            syntax,
            at.slice(1).map((end, i) => text.slice(at[i], end)),
          ),
        ).toEqual(expected);
      },
    ),
    { numRuns: 500 },
  );
});

test("an answer opened by the prompt begins inside the call", () => {
  expect(read("generic", ['{"name": "f", "argu', 'ments": {"a": 1}}', "\n</tool_call>"], true)).toEqual({
    text: "",
    calls: [{ name: "f", arguments: '{"a": 1}' }],
  });
});

test("after the first call the parser wants no more when only one is allowed", () => {
  const parser = new ToolCallParser({ notation: TOOL_NOTATIONS.hermes, opened: true, several: false });
  parser.push('{"name": "f", "arguments": {"a"');
  expect(parser.complete).toBe(false);
  parser.push(": 1}}");
  expect(parser.complete).toBe(true);
});

test("arguments are passed on while they are being written", () => {
  const parser = new ToolCallParser({ notation: TOOL_NOTATIONS.hermes, opened: true, several: true });
  parser.push('{"name": "f", "arguments": {"text": "one');
  const events = parser.push(" two");
  expect(events).toEqual([{ kind: "arguments", index: 0, text: " two" }]);
});
