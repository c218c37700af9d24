import { afterAll, beforeAll, expect, test } from "vitest";
import { Engine } from "./start-engine.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await new Engine({ parallel: 4, queue: 8 }).ready();
});
afterAll(() => engine.stop());

test("completions continue several prompts, given as text or as tokens", async () => {
  const body = { max_tokens: 6, temperature: 0 };
  const { json } = await engine.post("/v1/completions", { ...body, prompt: ["ab", "xyz"] });
  expect(json.object).toBe("text_completion");
  expect(json.choices.map((choice: { index: number }) => choice.index)).toEqual([0, 1]);
  expect(json.usage).toMatchObject({ prompt_tokens: 5, completion_tokens: 12 });
  const { json: tokens } = await engine.post("/v1/completions", { ...body, prompt: [97, 98] });
  expect(tokens.choices[0].text).toBe(json.choices[0].text);
});

test("echo puts the prompt before the text; sixteen tokens are the default", async () => {
  const { json } = await engine.post("/v1/completions", {
    prompt: "ab",
    echo: true,
    temperature: 0,
    logit_bias: { "65": 100 },
  });
  expect(json.choices[0].text).toBe(`ab${"A".repeat(16)}`);
  const { status, json: refused } = await engine.post("/v1/completions", {
    prompt: "ab",
    echo: true,
    logprobs: 1,
  });
  expect([status, refused.error.param]).toEqual([400, "echo"]);
});

test("tokenize and detokenize are inverse, special tokens parsed only when asked", async () => {
  const content = "Grüße <|im_start|> 😀";
  const { json } = await engine.post("/tokenize", { content });
  expect(json.tokens).toContain(257);
  expect((await engine.post("/detokenize", { tokens: json.tokens })).json.content).toBe(content);
  const { json: plain } = await engine.post("/tokenize", { content, parse_special: false });
  expect(plain.tokens).toEqual([...Buffer.from(content)]);
  expect((await engine.post("/detokenize", { tokens: [1_000_000] })).status).toBe(400);
});

const cosine = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

test("embeddings are unit vectors that depend on every token", async () => {
  const { json } = await engine.post("/v1/embeddings", {
    input: ["hello world", "hello world", "jello world", [104, 105]],
  });
  const vectors: number[][] = json.data.map((entry: { embedding: number[] }) => entry.embedding);
  expect(json.data.map((entry: { index: number }) => entry.index)).toEqual([0, 1, 2, 3]);
  for (const vector of vectors) {
    expect(vector).toHaveLength(64);
    expect(cosine(vector, vector)).toBeCloseTo(1, 5);
  }
  expect(cosine(vectors[0] ?? [], vectors[1] ?? [])).toBeCloseTo(1, 5);
  // Only the first letter differs: the last token alone would hardly notice, the mean does.
  expect(cosine(vectors[0] ?? [], vectors[2] ?? [])).toBeLessThan(0.999);
  expect(json.usage).toEqual({ prompt_tokens: 35, total_tokens: 35 });
});

test("embeddings and answers share the machine: both come, and neither waits for the other's end", async () => {
  const stream = engine.stream("/v1/completions", {
    prompt: "ab",
    max_tokens: 400,
    logit_bias: { "256": -100, "258": -100 },
  });
  const many = await engine.post("/v1/embeddings", {
    input: Array.from({ length: 20 }, (_, i) => `text ${i}`),
  });
  expect(many.json.data).toHaveLength(20);
  expect((await engine.get("/slots")).json.running).toBe(1);
  expect((await stream).at(-1).choices[0].finish_reason).toBe("length");
});

test("base64 embeddings hold the same numbers as float32", async () => {
  const { json: floats } = await engine.post("/v1/embeddings", { input: "hello" });
  const { json } = await engine.post("/v1/embeddings", { input: "hello", encoding_format: "base64" });
  const bytes = Buffer.from(json.data[0].embedding, "base64");
  const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  expect(values).toHaveLength(64);
  values.forEach((value, i) => expect(value).toBeCloseTo(floats.data[0].embedding[i], 6));
});

test("embeddings refuse what they cannot do, and name it", async () => {
  const cases: [Record<string, unknown>, string][] = [
    [{ input: "x", dimensions: 16 }, "dimensions"],
    [{ input: "x", encoding_format: "hex" }, "encoding_format"],
    [{}, "input"],
    [{ input: [] }, "input"],
    [{ input: "" }, "input"],
    [{ input: [[99_999]] }, "input"],
    [{ input: "x".repeat(1025) }, "input"],
  ];
  for (const [body, param] of cases) {
    const { status, json } = await engine.post("/v1/embeddings", body);
    expect([status, json.error.param]).toEqual([400, param]);
  }
  expect((await engine.post("/v1/embeddings", { input: "x", dimensions: 64 })).status).toBe(200);
});

test("models and slots tell what is there", async () => {
  const { json } = await engine.get("/v1/models");
  expect(json.data).toEqual([
    expect.objectContaining({
      id: "tiny",
      meta: expect.objectContaining({
        chat_template: "model",
        context_tokens: 1024,
        embedding_length: 64,
        architecture: "llama",
      }),
    }),
  ]);
  const before = (await engine.get("/slots")).json;
  await engine.chat({ max_tokens: 7, temperature: 0, logit_bias: { "65": 100 } });
  const after = (await engine.get("/slots")).json;
  expect(after).toMatchObject({ parallel: 4, queue: 8, running: 0, waiting: 0, threads: 1 });
  expect(after.generated_tokens_total - before.generated_tokens_total).toBe(7);
});

test("unknown paths, wrong methods and broken bodies are refused in the OpenAI envelope", async () => {
  const replies = await Promise.all([
    engine.get("/v1/nothing"),
    engine.get("/v1/chat/completions"),
    engine.post("/v1/chat/completions", "{"),
    engine.post("/v1/chat/completions", "[]"),
    engine.post("/v1/chat/completions", "é".repeat(17 * 2 ** 20)),
  ]);
  expect(replies.map(({ status }) => status)).toEqual([404, 405, 400, 400, 413]);
  for (const { json } of replies)
    expect(json.error).toMatchObject({
      message: expect.any(String),
      type: expect.any(String),
      code: expect.any(String),
    });
});

test("a model without a template gets ChatML, and says so", async () => {
  const plain = await new Engine({ model: { chatTemplate: null } }).ready();
  try {
    const { json } = await plain.get("/v1/models");
    expect(json.data[0].meta).toMatchObject({
      chat_template: "fallback-chatml",
      chat_template_note: expect.stringContaining("no chat template"),
    });
    const { json: answer } = await plain.chat({ max_tokens: 1 });
    const { json: here } = await engine.chat({ max_tokens: 1 });
    expect(answer.usage.prompt_tokens).toBe(here.usage.prompt_tokens);
  } finally {
    await plain.stop();
  }
});

test("what a template refuses is told to the client", async () => {
  const strict = await new Engine({
    model: {
      chatTemplate:
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system role here') }}{% endif %}{{ m.content }}{% endfor %}",
    },
  }).ready();
  try {
    const { status, json } = await strict.chat({
      messages: [
        { role: "system", content: "x" },
        { role: "user", content: "y" },
      ],
    });
    expect(status).toBe(400);
    expect(json.error.message).toContain("no system role here");
  } finally {
    await strict.stop();
  }
});
