import OpenAI, { APIError, NotFoundError } from "openai";
import { describe, expect, it } from "vitest";

/** What the suite may expect of the engine behind the base URL. */
export interface OpenAIContract {
  readonly baseUrl: () => string;
  /** A name that the node serves for chat. */
  readonly model: string;
  /** A name that serves embeddings; without it that part is not supported by the engine. */
  readonly embeddingModel?: string;
  /** True when the engine calls tools and keeps to JSON schemas. */
  readonly tools: boolean;
  readonly jsonSchema: boolean;
  readonly apiKey?: string;
}

const QUESTION = [{ role: "user", content: "Which node is this?" }] as const;

// Bounded values, so that a model of any size comes to their end.
const WEATHER = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather in a city.",
    parameters: {
      type: "object",
      properties: { city: { type: "string", enum: ["Köln", "Paris"] } },
      required: ["city"],
    },
  },
} as const;

const SCHEMA = {
  type: "json_schema",
  json_schema: {
    name: "node",
    strict: true,
    schema: {
      type: "object",
      properties: { name: { type: "string", maxLength: 12 }, size: { type: "integer", enum: [1, 2] } },
      required: ["name", "size"],
      additionalProperties: false,
    },
  },
} as const;

/** The official client, unchanged, against any base URL: the same suite for fake, embedded and real engines. */
export function describeOpenAIContract(title: string, contract: OpenAIContract): void {
  const { model } = contract;
  const client = (): OpenAI =>
    new OpenAI({ baseURL: `${contract.baseUrl()}/v1`, apiKey: contract.apiKey ?? "unused", maxRetries: 0 });

  describe(`OpenAI client: ${title}`, () => {
    it("lists the models and finds one", async () => {
      const ids: string[] = [];
      for await (const entry of client().models.list()) ids.push(entry.id);
      expect(ids).toContain(model);
      expect((await client().models.retrieve(model)).object).toBe("model");
    });

    it("answers a chat with text, a finish reason and usage that adds up", async () => {
      const answer = await client().chat.completions.create({
        model,
        messages: [...QUESTION],
        max_tokens: 32,
      });
      expect(answer.object).toBe("chat.completion");
      const [choice] = answer.choices;
      expect(choice?.message.role).toBe("assistant");
      expect(choice?.message.content?.length).toBeGreaterThan(0);
      expect(["stop", "length"]).toContain(choice?.finish_reason);
      const {
        prompt_tokens: prompt = 0,
        completion_tokens: completion = 0,
        total_tokens: total = 0,
      } = answer.usage ?? {};
      expect(prompt).toBeGreaterThan(0);
      expect(completion).toBeGreaterThan(0);
      expect(total).toBe(prompt + completion);
    });

    it("streams a chat in pieces that end with a finish reason", async () => {
      const stream = await client().chat.completions.create({
        model,
        messages: [...QUESTION],
        max_tokens: 32,
        stream: true,
      });
      let text = "";
      const reasons: string[] = [];
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? "";
        if (chunk.choices[0]?.finish_reason) reasons.push(chunk.choices[0].finish_reason);
      }
      expect(text.length).toBeGreaterThan(0);
      expect(reasons).toHaveLength(1);
    });

    it("stops a stream when the client is done with it", async () => {
      const stream = await client().chat.completions.create({ model, messages: [...QUESTION], stream: true });
      for await (const chunk of stream) {
        expect(chunk.object).toBe("chat.completion.chunk");
        break;
      }
      expect(stream.controller.signal.aborted).toBe(true);
    });

    it("completes a plain prompt, streaming or not", async () => {
      const answer = await client().completions.create({ model, prompt: "Omni is", max_tokens: 16 });
      expect(answer.choices[0]?.text.length).toBeGreaterThan(0);
      let text = "";
      const stream = await client().completions.create({
        model,
        prompt: "Omni is",
        max_tokens: 16,
        stream: true,
      });
      for await (const chunk of stream) text += chunk.choices[0]?.text ?? "";
      expect(text.length).toBeGreaterThan(0);
    });

    it("throws the client's own errors, with code and parameter", async () => {
      const missing = client().chat.completions.create({
        model: `${model}-missing`,
        messages: [...QUESTION],
      });
      const error: unknown = await missing.catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(NotFoundError);
      expect(error).toMatchObject({ status: 404, code: "model_not_found", param: "model" });
      expect(error instanceof APIError ? error.message : "").toContain(model);
      expect(error instanceof APIError ? error.requestID : "").toMatch(/^req_/);
    });

    describeToolsAndSchemas(contract, client);
    describeEmbeddings(contract, client);
  });
}

function describeToolsAndSchemas(contract: OpenAIContract, client: () => OpenAI): void {
  const { model } = contract;
  const messages = [{ role: "user", content: "What is the weather in Köln?" }] as const;

  it.runIf(contract.tools)("calls a tool with arguments that parse", async () => {
    const answer = await client().chat.completions.create({
      model,
      messages: [...messages],
      tools: [WEATHER],
      tool_choice: "required",
      max_tokens: 200,
    });
    const [call] = answer.choices[0]?.message.tool_calls ?? [];
    expect(call).toMatchObject({ type: "function", function: { name: "get_weather" } });
    const parsed: unknown = JSON.parse(call?.type === "function" ? call.function.arguments : "");
    expect(parsed).toHaveProperty("city");
    expect(answer.choices[0]?.finish_reason).toBe("tool_calls");
  });

  it.runIf(contract.tools)("streams a tool call in pieces that join to the same", async () => {
    const runner = client().chat.completions.stream({
      model,
      messages: [...messages],
      tools: [WEATHER],
      tool_choice: "required",
      max_tokens: 200,
    });
    const final = await runner.finalChatCompletion();
    const [call] = final.choices[0]?.message.tool_calls ?? [];
    expect(call).toMatchObject({ type: "function", function: { name: "get_weather" } });
    const parsed: unknown = JSON.parse(call?.type === "function" ? call.function.arguments : "");
    expect(parsed).toHaveProperty("city");
  });

  it.runIf(contract.jsonSchema)("keeps to a JSON schema", async () => {
    const answer = await client().chat.completions.create({
      model,
      messages: [{ role: "user", content: "Describe this node as JSON." }],
      response_format: SCHEMA,
      max_tokens: 200,
    });
    const value: unknown = JSON.parse(answer.choices[0]?.message.content ?? "");
    expect(value).toEqual({ name: expect.any(String), size: expect.any(Number) });
  });
}

function describeEmbeddings(contract: OpenAIContract, client: () => OpenAI): void {
  const { embeddingModel = "" } = contract;

  it.runIf(embeddingModel !== "")(
    "embeds one text and several, in base64 as the client asks by itself",
    async () => {
      const one = await client().embeddings.create({ model: embeddingModel, input: "Omni" });
      const two = await client().embeddings.create({
        model: embeddingModel,
        input: ["Omni", "a longer text"],
        encoding_format: "float",
      });
      expect(two.data.map((entry) => entry.index)).toEqual([0, 1]);
      const [asked, plain] = [one.data[0]?.embedding ?? [], two.data[0]?.embedding ?? []];
      expect(plain.length).toBeGreaterThan(1);
      expect(asked.length).toBe(plain.length);
      for (const [i, value] of plain.entries()) expect(asked[i]).toBeCloseTo(value, 4);
    },
  );
}
