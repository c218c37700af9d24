import { APIError, BadRequestError, NotFoundError } from "openai";
import type OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { describeOpenAIContract } from "../contract/openai-client.ts";
import { PICTURE, QUESTION, TEXT, citiesOf, chatTools } from "./sdk-questions.ts";
import type { RealServices, SdkNode } from "./sdk-node.ts";
import { describeEngines, startSdkNode } from "./sdk-node.ts";
import { MANY_CALLS, ONLY_CALLS } from "./tool-caller.ts";

let node: SdkNode;
beforeAll(async () => {
  node = await startSdkNode(["talks", "calls", "embeds"]);
});
afterAll(() => node?.stop());

const chat = (): OpenAI["chat"]["completions"] => node.openai().chat.completions;

describeEngines("the openai client, text", ({ talks }) => {
  const asked = { model: talks, messages: [...QUESTION], temperature: 0 };

  it("streams the very text of the whole answer", async () => {
    const whole = await chat().create(asked);
    expect(whole.choices[0]).toMatchObject({ finish_reason: "stop", message: { content: TEXT } });
    const streamed = await chat().stream(asked).finalChatCompletion();
    expect(streamed.choices[0]).toMatchObject({ finish_reason: "stop", message: { content: TEXT } });
  });

  it("tells usage in a last chunk when asked, and in none when not", async () => {
    const whole = await chat().create(asked);
    const usages: unknown[] = [];
    const lengths: number[] = [];
    for (const stream_options of [{ include_usage: true }, undefined]) {
      const stream = await chat().create({
        ...asked,
        stream: true,
        ...(stream_options && { stream_options }),
      });
      for await (const { usage, choices } of stream) {
        if (usage) usages.push(usage);
        if (usage) lengths.push(choices.length);
      }
    }
    expect(lengths).toEqual([0]);
    const { prompt_tokens, completion_tokens, total_tokens } = whole.usage ?? {};
    expect(usages).toMatchObject([{ prompt_tokens, completion_tokens, total_tokens }]);
  });

  it("gives several choices with logprobs, and stops where it is told", async () => {
    const { choices } = await chat().create({
      ...asked,
      n: 2,
      logprobs: true,
      top_logprobs: 2,
      max_tokens: 6,
    });
    expect(choices.map(({ index }) => index)).toEqual([0, 1]);
    for (const { logprobs, finish_reason } of choices) {
      expect(logprobs?.content).toHaveLength(6);
      expect(logprobs?.content?.[0]?.top_logprobs).toHaveLength(2);
      expect(finish_reason).toBe("length");
    }
    const stopped = await chat().create({ ...asked, stop: ["sovereign"] });
    expect(stopped.choices[0]).toMatchObject({ finish_reason: "stop", message: { content: "Omni is the " } });
  });

  it("parses an answer by a schema of zod", async () => {
    const Node = z.object({ city: z.enum(["Köln", "Paris"]), cards: z.literal([1, 2]), on: z.boolean() });
    const answer = await chat().parse({
      model: talks,
      messages: [...QUESTION],
      response_format: zodResponseFormat(Node, "node"),
      max_tokens: 200,
    });
    expect(Node.parse(answer.choices[0]?.message.parsed)).toBeTruthy();
  });

  it("has a picture that its engine cannot see refused in the client's own error, and serves on", async () => {
    const content = [{ type: "text", text: "What is this?" } as const, PICTURE];
    for (let i = 0; i < 6; i++) {
      const refused: unknown = await chat()
        .create({ model: talks, messages: [{ role: "user", content }], max_tokens: 8 })
        .catch((thrown: unknown) => thrown);
      expect(refused).toBeInstanceOf(BadRequestError);
      expect(refused instanceof APIError ? refused.message : "").toMatch(/image/);
    }
    // Six of them would have put a broken engine out of its route.
    const next = await chat().create({ ...asked, max_tokens: 4 });
    expect(next.usage?.completion_tokens).toBe(4);
  });

  it("completes a plain prompt the same in one piece and streamed", async () => {
    const prompt = "<|im_start|>user\nWhat is Omni?<|im_end|>\n<|im_start|>assistant\n";
    const asks = { model: talks, prompt, temperature: 0, max_tokens: 60 };
    const whole = await node.openai().completions.create(asks);
    expect(whole).toMatchObject({
      object: "text_completion",
      choices: [{ text: TEXT, finish_reason: "stop" }],
    });
    let text = "";
    for await (const part of await node.openai().completions.create({ ...asks, stream: true }))
      text += part.choices[0]?.text ?? "";
    expect(text).toBe(TEXT);
  });

  it("knows which model it asks and which it does not", async () => {
    expect(await node.openai().models.retrieve(talks)).toMatchObject({ id: talks, object: "model" });
    const ids: string[] = [];
    for await (const { id } of node.openai().models.list()) ids.push(id);
    expect(ids).toContain(talks);
    await expect(node.openai().models.retrieve("nobody")).rejects.toBeInstanceOf(NotFoundError);
  });
});

describeEngines("the openai client, tools", ({ kind, calls }) => {
  const asked = {
    model: calls,
    messages: [{ role: "user" as const, content: "How is the weather, and what time is it?" }],
    tools: chatTools(),
    max_tokens: 600,
    temperature: 1,
  };

  it("calls a tool that it must, with arguments that parse", async () => {
    const { choices } = await chat().create({
      ...asked,
      tool_choice: "required",
      parallel_tool_calls: false,
      logit_bias: ONLY_CALLS,
    });
    expect(choices[0]?.finish_reason).toBe("tool_calls");
    expect(citiesOf(choices[0]?.message.tool_calls).length).toBeGreaterThan(0);
  });

  it("calls the named tool", async () => {
    const { choices } = await chat().create({
      ...asked,
      // llama-server reads a name as "auto": the gateway offers it no other tool.
      tool_choice: { type: "function", function: { name: "get_time" } },
      logit_bias: ONLY_CALLS,
    });
    const [call] = choices[0]?.message.tool_calls ?? [];
    expect(call?.type === "function" && call.function.name).toBe("get_time");
  });

  it("calls several at once, streamed and not, each with an id of its own", async () => {
    for (const streams of [false, true]) {
      const found = await severalCalls(async (seed) => {
        const body = { ...asked, seed, tool_choice: "required", parallel_tool_calls: true } as const;
        const biased = { ...body, ...(kind === "embedded" ? {} : { logit_bias: MANY_CALLS }) };
        return streams ? chat().stream(biased).finalChatCompletion() : chat().create(biased);
      });
      expect(citiesOf(found).length).toBeGreaterThan(1);
      expect(new Set(found.map(({ id }) => id)).size).toBe(found.length);
    }
  });

  it("goes on with the results of its calls", async () => {
    const call = { name: "get_weather", arguments: '{"city":"Paris"}' };
    const { choices, usage } = await chat().create({
      model: calls,
      messages: [
        ...asked.messages,
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "call_1", type: "function", function: call }],
        },
        { role: "tool", tool_call_id: "call_1", content: "sunny" },
      ],
      max_tokens: 5,
    });
    expect(choices[0]?.message.role).toBe("assistant");
    expect(usage?.completion_tokens).toBeGreaterThan(0);
  });
});

type Calls = NonNullable<OpenAI.ChatCompletionMessage["tool_calls"]>;

/** How many calls a random model makes is chance: it is asked until there are several, which are whole. */
async function severalCalls(
  ask: (seed: number) => Promise<{ readonly choices: readonly OpenAI.ChatCompletion.Choice[] }>,
): Promise<Calls> {
  for (let seed = 1; seed <= 40; seed++) {
    const [choice] = (await ask(seed)).choices;
    const made = choice?.message.tool_calls ?? [];
    if (choice?.finish_reason === "tool_calls" && made.length > 1) return made;
  }
  throw new Error("forty answers without two calls");
}

describeEngines("the openai client, vectors", ({ embeds }: RealServices) => {
  it("embeds texts in base64 and as numbers alike", async () => {
    const { embeddings } = node.openai();
    const asked = { model: embeds, input: ["Omni", "a longer text"] };
    const packed = await embeddings.create(asked);
    const plain = await embeddings.create({ ...asked, encoding_format: "float" });
    expect(plain.data.map(({ index }) => index)).toEqual([0, 1]);
    expect(plain.usage.prompt_tokens).toBeGreaterThan(1);
    for (const [i, { embedding }] of plain.data.entries()) {
      expect(embedding).toHaveLength(256);
      const other = packed.data[i]?.embedding ?? [];
      for (const [k, value] of embedding.entries()) expect(other[k]).toBeCloseTo(value, 4);
    }
  });
});

describeEngines("the contract of every engine", ({ talks, embeds }) => {
  describeOpenAIContract("a real engine", {
    baseUrl: () => node.url,
    model: talks,
    embeddingModel: embeds,
    tools: false,
    jsonSchema: true,
  });
});
