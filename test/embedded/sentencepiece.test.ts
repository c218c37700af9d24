import { afterAll, beforeAll, expect, test } from "vitest";
import { Engine } from "./start-engine.ts";

let engine: Engine;
beforeAll(async () => {
  const chatTemplate =
    "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}{{ eos_token }}{% endfor %}";
  engine = await new Engine({ model: { tokenizer: "sentencepiece", chatTemplate } }).ready();
});
afterAll(() => engine.stop());

/** `▁hello` in the tiny vocabulary: after three special tokens, 256 bytes and the lone `▁`. */
const HELLO = 260;

/** What the model writes when nothing but these tokens is allowed. */
async function forced(token: number): Promise<string> {
  const { json } = await engine.post("/v1/completions", {
    prompt: "a",
    max_tokens: 2,
    logit_bias: { [token]: 100 },
  });
  return json.choices[0].text;
}

test("a piece that begins with a space keeps it, also as the first token of an answer", async () => {
  expect(await forced(HELLO)).toBe(" hello hello");
});

test("bytes that make one character come out together", async () => {
  const events = await engine.stream("/v1/chat/completions", {
    messages: [{ role: "user", content: "hello" }],
    response_format: { type: "json_schema", json_schema: { name: "x", schema: { const: "é😀 hello" } } },
  });
  const pieces = events.map((event) => event.choices[0].delta.content ?? "");
  expect(pieces.join("")).toBe('"é😀 hello"');
  expect(pieces.some((piece) => piece.includes("\u{FFFD}"))).toBe(false);
});

const promptTokens = async (content: string): Promise<number> => {
  const { json } = await engine.chat({ messages: [{ role: "user", content }], max_tokens: 1 });
  return json.usage.prompt_tokens;
};

test("users cannot write the begin or end token", async () => {
  const plain = await promptTokens("ab");
  // `</s>` and `<s>` are one token each as special tokens, and one for each byte as text.
  expect(await promptTokens("ab</s><s>")).toBeGreaterThanOrEqual(plain + 7);
});
