import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Engine } from "./start-engine.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await new Engine({ parallel: 4, queue: 32, context: 256 }).ready();
});
afterAll(() => engine.stop());

const PATHS = ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/tokenize", "/detokenize"];
const FIELDS = [
  ..."messages prompt input content tokens stream stream_options temperature top_p top_k min_p seed stop n logprobs".split(
    " ",
  ),
  ..."top_logprobs max_tokens max_completion_tokens presence_penalty frequency_penalty repeat_penalty logit_bias".split(
    " ",
  ),
  ..."response_format tools tool_choice parallel_tool_calls encoding_format dimensions echo suffix best_of".split(
    " ",
  ),
  ..."chat_template_kwargs add_special parse_special repeat_last_n".split(" "),
];

test("whatever a body holds, the answer is 200 or a 4xx in the envelope, and the engine lives", async () => {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom<unknown>(
      -1,
      0,
      1e308,
      2 ** 53,
      "",
      "x",
      [],
      {},
      true,
      [1e9],
      [[-1]],
      [[]],
      { "1": 5 },
      ["\u{D800}"],
      "\u{0}",
    ),
  );
  const field = fc.tuple(fc.constantFrom(...FIELDS), value);
  const valid = fc.constant<[string, unknown][]>([
    ["messages", [{ role: "user", content: "x" }]],
    ["prompt", "x"],
    ["max_tokens", 2],
    ["input", "x"],
  ]);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...PATHS),
      fc.boolean(),
      valid,
      fc.array(field, { maxLength: 4 }),
      async (path, whole, base, fields) => {
        const body = Object.fromEntries([...(whole ? base : []), ...fields]);
        const { statusCode, body: answer } = await engine.open(path, body);
        const text = await answer.text();
        // A refusal has a message; anything else but 200 is a fault, shown with its text.
        const refused = statusCode >= 400 && statusCode < 500 && JSON.parse(text).error.message.length > 10;
        const fault = statusCode === 200 || refused ? "" : `${statusCode} ${text.slice(0, 300)}`;
        expect(fault).toBe("");
      },
    ),
    { numRuns: 400 },
  );
  expect((await engine.get("/health")).status).toBe(200);
  expect((await engine.chat({ max_tokens: 3 })).status).toBe(200);
}, 120_000);

test("bodies that are no JSON are 400", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...PATHS), fc.string({ maxLength: 50 }), async (path, text) => {
      fc.pre(!/^\s*\{/.test(text));
      expect((await engine.post(path, text)).status).toBe(400);
    }),
    { numRuns: 60 },
  );
});

test("schemas of any shape never break the engine", async () => {
  const keyword = fc.constantFrom(
    "type",
    "properties",
    "items",
    "enum",
    "anyOf",
    "allOf",
    "$ref",
    "required",
    "minItems",
    "maxLength",
    "minimum",
    "const",
    "format",
    "additionalProperties",
  );
  const schema = fc.dictionary(
    keyword,
    fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom("object", "array", "string", "integer", "#", ["a"], { a: { type: "string" } }),
    ),
    { maxKeys: 4 },
  );
  await fc.assert(
    fc.asyncProperty(schema, async (shape) => {
      const format = { type: "json_schema", json_schema: { name: "x", schema: shape } };
      const { status, json } = await engine.chat({ max_tokens: 3, response_format: format });
      expect([json.error?.code, [200, 400].includes(status)]).toEqual([json.error?.code, true]);
    }),
    { numRuns: 200 },
  );
  expect((await engine.get("/health")).status).toBe(200);
});

test("texts of many megabytes are refused at once, and others are not kept waiting", async () => {
  const text = "x ".repeat(8 * 2 ** 20);
  const replies = await Promise.all([
    engine.chat({ messages: [{ role: "user", content: text }] }),
    engine.post("/v1/completions", { prompt: text }),
    engine.post("/v1/embeddings", { input: text }),
    engine.post("/tokenize", { content: text }),
  ]);
  expect(replies.map(({ status }) => status)).toEqual([400, 400, 400, 400]);
  expect(replies[0]?.json.error).toMatchObject({ param: "messages", code: "context_length_exceeded" });
  expect((await engine.chat({ max_tokens: 1 })).status).toBe(200);
});
