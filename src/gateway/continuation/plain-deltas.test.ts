import { expect, test } from "vitest";
import type { SaidSoFar } from "./continuation.ts";
import { PlainDeltas } from "./plain-deltas.ts";
import { createSaidSoFar } from "./said-so-far.ts";

const event = (text: string, end = "null"): string =>
  `data: {"id":"x","choices":[{"index":0,"delta":{"content":"${text}"},"finish_reason":${end}}]}\n\n`;

function learned(): PlainDeltas {
  const plain = new PlainDeltas("chat");
  plain.learn(Buffer.from(event("", "null") + event("first")));
  return plain;
}

/** Whether events are taken that lie between others, which do not count. */
function taken(events: string, said: SaidSoFar): boolean {
  const bytes = Buffer.from(event("before") + events + event("behind"));
  const from = event("before").length;
  return learned().take(bytes, from, from + Buffer.byteLength(events), said);
}

test.each(["a", '\\"', "\\\\", "\\u00fc", "Ü", "data: [DONE]"])(
  "a delta of %j is known by its shape",
  (text) => {
    const said = createSaidSoFar("chat");
    expect(taken(event(text) + event("b"), said)).toBe(true);
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
  expect(taken(events, said)).toBe(false);
  expect(said.held).toBe(0);
});
