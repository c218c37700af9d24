import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Engine } from "./start-engine.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await new Engine({ parallel: 4, context: 2048 }).ready();
});
afterAll(() => engine.stop());

const schemaFormat = (schema: unknown, strict = true): Record<string, unknown> => ({
  type: "json_schema",
  json_schema: { name: "answer", strict, schema },
});

/** Forbids bytes that are no ASCII: a babbling model makes code points of them that no real text has. */
const ASCII_ONLY = Object.fromEntries(Array.from({ length: 128 }, (_, i) => [String(128 + i), -100]));

/** What a babbling model writes under the schema, for several seeds. */
async function written(schema: unknown, strict = true): Promise<unknown[]> {
  const replies = await Promise.all(
    [1, 2, 3].map((seed) =>
      engine.chat({
        seed,
        temperature: 1.5,
        max_tokens: 1500,
        logit_bias: ASCII_ONLY,
        response_format: schemaFormat(schema, strict),
      }),
    ),
  );
  return replies.map(({ status, json }): unknown => {
    expect([status, json.error]).toEqual([200, undefined]);
    expect(json.choices[0].finish_reason).toBe("stop");
    return JSON.parse(json.choices[0].message.content);
  });
}

const partNamed = (name: string): unknown => ({
  type: "object",
  properties: { [name]: { const: name } },
  required: [name],
});

describe("response_format", () => {
  test("json_object yields an object", async () => {
    // A babbling model would nest for ever: forbid it most characters, and it closes soon.
    const bias = Object.fromEntries(
      Array.from('[{"-tfn0123456789', (sign) => [String(sign.charCodeAt(0)), -100]),
    );
    bias["123"] = 0;
    const { json } = await engine.chat({
      max_tokens: 400,
      response_format: { type: "json_object" },
      logit_bias: bias,
    });
    const value: unknown = JSON.parse(json.choices[0].message.content);
    expect(typeof value === "object" && value !== null && !Array.isArray(value)).toBe(true);
  });

  test("objects with all kinds of properties fulfil their schema", async () => {
    const schema = {
      type: "object",
      properties: {
        id: { type: "integer", minimum: 100, maximum: 299 },
        below: { type: "integer", exclusiveMaximum: 0 },
        kind: { enum: ["a", "b", 3, null] },
        when: { type: "string", format: "date" },
        name: { type: "string", minLength: 2, maxLength: 6 },
        flags: { type: "array", items: { type: "boolean" }, minItems: 1, maxItems: 3 },
        pair: { type: "array", prefixItems: [{ type: "integer", minimum: 0, maximum: 9 }, { type: "null" }] },
        maybe: { type: ["integer", "null"], maximum: 5, minimum: 1 },
        nested: { $ref: "#/$defs/point" },
        one: {
          anyOf: [
            { const: "x" },
            { type: "object", properties: { y: { const: 1 } }, required: ["y"], additionalProperties: false },
          ],
        },
      },
      required: ["id", "below", "kind", "when", "name", "flags", "pair", "maybe", "nested", "one"],
      additionalProperties: false,
      $defs: {
        point: {
          type: "object",
          properties: { x: { type: "boolean" } },
          required: ["x"],
          additionalProperties: false,
        },
      },
    };
    for (const value of await written(schema)) {
      expect(value).toEqual({
        id: expect.toSatisfy((id: number) => id >= 100 && id <= 299),
        below: expect.toSatisfy((below: number) => below < 0),
        kind: expect.toSatisfy((kind: string | number | null) => ["a", "b", 3, null].includes(kind)),
        when: expect.stringMatching(/^\d{4}-[01]\d-[0-3]\d$/),
        name: expect.toSatisfy((name: string) => /^.{2,6}$/su.test(name)),
        flags: expect.toSatisfy(
          (flags: unknown[]) =>
            flags.length >= 1 && flags.length <= 3 && flags.every((flag) => typeof flag === "boolean"),
        ),
        pair: [expect.any(Number), null],
        maybe: expect.toSatisfy((maybe: number | null) => maybe === null || (maybe >= 1 && maybe <= 5)),
        nested: { x: expect.any(Boolean) },
        one: expect.toSatisfy((one: unknown) => one === "x" || JSON.stringify(one) === '{"y":1}'),
      });
    }
  });

  test("optional properties may be left out, in any combination", async () => {
    const flag = { type: "boolean" };
    const optional = { type: "object", properties: { a: flag, b: flag, c: flag } };
    for (const value of await written(optional))
      expect(["a", "b", "c"]).toEqual(expect.arrayContaining(Object.keys(Object(value))));
    const mixed = { ...optional, required: ["b"] };
    for (const value of await written(mixed)) expect(value).toHaveProperty("b");
  });

  test("allOf joins its parts", async () => {
    for (const value of await written({ allOf: [partNamed("a"), partNamed("b")] }, false)) {
      expect(value).toEqual({ a: "a", b: "b" });
    }
  });

  test("a schema that refers to itself ends", async () => {
    const tree = {
      type: "object",
      properties: { leaf: { const: 1 }, next: { anyOf: [{ $ref: "#" }, { type: "null" }] } },
      required: ["leaf", "next"],
      additionalProperties: false,
    };
    const bias = { "123": -4 };
    const { json } = await engine.chat({
      seed: 1,
      max_tokens: 1500,
      logit_bias: bias,
      response_format: schemaFormat(tree),
    });
    expect(JSON.parse(json.choices[0].message.content)).toHaveProperty("leaf", 1);
  });

  test("schemas that cannot be used are refused and say why", async () => {
    const cases: [unknown, RegExp][] = [
      [{ type: "string", pattern: "a+" }, /pattern cannot be enforced/],
      [{ type: "number", minimum: 1 }, /minimum of a number/],
      [{ type: "strange" }, /type "strange" does not exist/],
      [{ $ref: "#/$defs/none" }, /leads nowhere/],
      [{ $ref: "https://example.com/x" }, /not inside the schema/],
      [{ enum: [] }, /empty enum/],
      [{ type: "array", minItems: 3, maxItems: 2 }, /below minItems/],
      [{ type: "integer", minimum: 5, maximum: 2 }, /no whole number/],
      [false, /no value fulfils/],
    ];
    for (const [schema, message] of cases) {
      const { status, json } = await engine.chat({ response_format: schemaFormat(schema) });
      expect([schema, status, json.error.code]).toEqual([schema, 400, "invalid_json_schema"]);
      expect(json.error.message).toMatch(message);
    }
    const { status } = await engine.chat({
      max_tokens: 1,
      response_format: schemaFormat({ type: "string", pattern: "a+" }, false),
    });
    expect(status).toBe(200);
    for (const format of [{ type: "yaml" }, { type: "json_schema" }, "json"]) {
      expect((await engine.chat({ response_format: format })).status).toBe(400);
    }
  });
});

const TOOLS = [
  {
    type: "function",
    function: {
      name: "get_weather",
      description: "Weather of a city",
      parameters: {
        type: "object",
        properties: { city: { enum: ["Oslo", "Rome"] }, days: { type: "integer", minimum: 1, maximum: 7 } },
        required: ["city", "days"],
        additionalProperties: false,
      },
    },
  },
  {
    type: "function",
    function: { name: "now", parameters: { type: "object", properties: {}, additionalProperties: false } },
  },
];

const isDays = (days: number): boolean => days >= 1 && days <= 7;

// oxlint-disable-next-line typescript/no-explicit-any -- read from an answer
function expectValidCall(call: any): void {
  expect(call).toMatchObject({ id: expect.stringMatching(/^call_[0-9a-f]{24}$/), type: "function" });
  const value: unknown = JSON.parse(call.function.arguments);
  const weather = { city: expect.stringMatching(/^(Oslo|Rome)$/), days: expect.toSatisfy(isDays) };
  expect(value).toEqual(call.function.name === "now" ? {} : weather);
}

describe("tools", () => {
  test("required forces a call with valid arguments; a named tool forces that one", async () => {
    for (const seed of [1, 2, 3]) {
      const { json } = await engine.chat({
        seed,
        max_tokens: 300,
        tools: TOOLS,
        tool_choice: "required",
        parallel_tool_calls: false,
      });
      const [choice] = json.choices;
      expect(choice).toMatchObject({ finish_reason: "tool_calls", message: { content: null } });
      expect(choice.message.tool_calls).toHaveLength(1);
      expectValidCall(choice.message.tool_calls[0]);
    }
    const named = { type: "function", function: { name: "get_weather" } };
    const { json } = await engine.chat({
      seed: 1,
      max_tokens: 300,
      tools: TOOLS,
      tool_choice: named,
      parallel_tool_calls: false,
    });
    expect(json.choices[0].message.tool_calls[0].function.name).toBe("get_weather");
    expectValidCall(json.choices[0].message.tool_calls[0]);
  });

  test("several calls may come in parallel", async () => {
    const counts = await Promise.all(
      [1, 2, 3, 4, 5, 6].map(async (seed) => {
        const { json } = await engine.chat({
          seed,
          temperature: 2,
          max_tokens: 400,
          tools: TOOLS,
          tool_choice: "required",
          logit_bias: { "10": 20 },
        });
        for (const call of json.choices[0].message.tool_calls.slice(0, -1)) expectValidCall(call);
        return json.choices[0].message.tool_calls.length;
      }),
    );
    expect(Math.max(...counts)).toBeGreaterThan(1);
  });

  test("calls stream as deltas: name first, then the arguments in pieces", async () => {
    const events = await engine.stream("/v1/chat/completions", {
      messages: [{ role: "user", content: "hello" }],
      seed: 2,
      max_tokens: 300,
      tools: TOOLS.slice(0, 1),
      tool_choice: "required",
      parallel_tool_calls: false,
    });
    const deltas = events.flatMap((event) => event.choices[0].delta.tool_calls ?? []);
    expect(deltas[0]).toMatchObject({
      index: 0,
      type: "function",
      function: { name: "get_weather", arguments: "" },
    });
    expect(deltas.length).toBeGreaterThan(5);
    const text = deltas.map((delta) => delta.function.arguments).join("");
    expectValidCall({ ...deltas[0], function: { name: "get_weather", arguments: text } });
    expect(events.at(-1).choices[0].finish_reason).toBe("tool_calls");
    expect(events.every((event) => !event.choices[0].delta.content)).toBe(true);
  });

  test("none offers no tools; auto leaves the model its choice", async () => {
    const plain = await engine.chat({ temperature: 0, max_tokens: 5 });
    const none = await engine.chat({ temperature: 0, max_tokens: 5, tools: TOOLS, tool_choice: "none" });
    expect(none.json.usage.prompt_tokens).toBe(plain.json.usage.prompt_tokens);
    expect(none.json.choices[0].message.content).toBe(plain.json.choices[0].message.content);
    const auto = await engine.chat({ temperature: 0, max_tokens: 5, tools: TOOLS });
    expect(auto.json.usage.prompt_tokens).toBeGreaterThan(plain.json.usage.prompt_tokens + 100);
    expect(auto.json.choices[0].finish_reason).toBe("length");
  });

  test("a conversation with calls and results is understood", async () => {
    const messages = [
      { role: "user", content: "weather?" },
      {
        role: "assistant",
        content: null,
        tool_calls: [
          {
            id: "call_1",
            type: "function",
            function: { name: "get_weather", arguments: '{"city":"Oslo","days":1}' },
          },
        ],
      },
      { role: "tool", tool_call_id: "call_1", content: "rain" },
    ];
    const { status, json } = await engine.chat({ messages, tools: TOOLS, max_tokens: 3 });
    expect([status, json.error]).toEqual([200, undefined]);
  });

  test("broken tools are refused with their place", async () => {
    const [tool] = TOOLS;
    const cases: [Record<string, unknown>, string][] = [
      [{ tools: [{ type: "function" }] }, "tools[0]"],
      [{ tools: [{ type: "function", function: { name: "bad name" } }] }, "tools[0].function.name"],
      [
        { tools: [{ type: "function", function: { name: "x", parameters: 3 } }] },
        "tools[0].function.parameters",
      ],
      [{ tools: [tool, tool] }, "tools"],
      [{ tools: TOOLS, tool_choice: "sometimes" }, "tool_choice"],
      [{ tools: TOOLS, tool_choice: { type: "function", function: { name: "other" } } }, "tool_choice"],
      [{ tool_choice: "required" }, "tool_choice"],
    ];
    for (const [body, param] of cases) {
      const { status, json } = await engine.chat(body);
      expect([status, json.error.param]).toEqual([400, param]);
    }
  });
});

const NATIVE_TEMPLATES: readonly [string, string, readonly string[]][] = [
  [
    "hermes",
    "{% if tools %}<tools>{{ tools | tojson }}</tools> answer with <tool_call>{% endif %}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}<|im_start|>assistant\n",
    ["<tool_call>", "</tool_call>"],
  ],
  [
    "llama3",
    "{% if tools %}{{ tools | tojson }}<|python_tag|>{% endif %}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}",
    ["<|python_tag|>"],
  ],
  [
    "mistral",
    "{% if tools %}{{ tools | tojson }}[TOOL_CALLS]{% endif %}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}",
    ["[TOOL_CALLS]"],
  ],
];

test.each(NATIVE_TEMPLATES)(
  "the notation of %s is found in the template and spoken",
  async (syntax, chatTemplate, controlTokens) => {
    const native = await new Engine({ model: { chatTemplate, controlTokens }, context: 2048 }).ready();
    try {
      const { json: models } = await native.get("/v1/models");
      expect(models.data[0].meta.tool_syntax).toBe(syntax);
      const { json } = await native.chat({
        seed: 1,
        max_tokens: 300,
        tools: TOOLS,
        tool_choice: "required",
        parallel_tool_calls: false,
      });
      expect(json.choices[0].finish_reason).toBe("tool_calls");
      expectValidCall(json.choices[0].message.tool_calls[0]);
    } finally {
      await native.stop();
    }
  },
);
