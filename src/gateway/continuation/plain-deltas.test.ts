import { expect, test } from "vitest";
import { PlainDeltas } from "./plain-deltas.ts";
import { createSaidSoFar } from "./said-so-far.ts";

const event = (text: string, end = "null"): string =>
  `data: {"id":"x","choices":[{"index":0,"delta":{"content":"${text}"},"finish_reason":${end}}]}\n\n`;

function learned(): PlainDeltas {
  const plain = new PlainDeltas("chat");
  plain.learn(Buffer.from(event("", "null") + event("first")));
  return plain;
}

test.each(["a", '\\"', "\\\\", "\\u00fc", "Ü", "data: [DONE]"])(
  "a delta of %j is known by its shape",
  (text) => {
    const said = createSaidSoFar("chat");
    expect(learned().take(Buffer.from(event(text) + event("b")), said)).toBe(true);
    expect(said.read()).toMatchObject({ text: `${JSON.parse(`"${text}"`)}b`, deltas: 2 });
  },
);

test.each([
  ["an end", event("a", '"stop"')],
  ["no text", event("")],
  ["another member", event('a","tool_calls":[{"index":0}],"x":"')],
  ["a quote that is escaped away", event("a\\")],
  ["half an escape", event("\\u12")],
  ["a line feed", event("a\nb")],
  ["half an event", event("a").slice(0, -1)],
  ["more behind it", `${event("a")}data: [DONE]\n\n`],
])("%s is to be looked at closely, and nothing of it is remembered", (_, events) => {
  const said = createSaidSoFar("chat");
  expect(learned().take(Buffer.from(events), said)).toBe(false);
  expect(said.held).toBe(0);
});
