import type Anthropic from "@anthropic-ai/sdk";
import { APIError, BadRequestError, NotFoundError } from "@anthropic-ai/sdk";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ARGUMENTS, DOT, QUESTION, TEXT, messageTools } from "./sdk-questions.ts";
import type { SdkNode } from "./sdk-node.ts";
import { describeEngines, startSdkNode } from "./sdk-node.ts";

let node: SdkNode;
beforeAll(async () => {
  node = await startSdkNode(["talks", "calls"]);
});
afterAll(() => node?.stop());

const messages = (): Anthropic["messages"] => node.anthropic().messages;

describeEngines("messages of the anthropic client", ({ kind, talks }) => {
  const asked = { model: talks, max_tokens: 60, messages: [...QUESTION], temperature: 0 };

  it("answers with text, a stop reason and usage", async () => {
    const answer = await messages().create(asked);
    expect(answer).toMatchObject({
      type: "message",
      role: "assistant",
      content: [{ type: "text", text: TEXT }],
      stop_reason: "end_turn",
      stop_sequence: null,
    });
    expect(answer.usage.output_tokens).toBeGreaterThan(30);
    const short = await messages().create({ ...asked, max_tokens: 5 });
    expect([short.stop_reason, short.usage.output_tokens]).toEqual(["max_tokens", 5]);
  });

  it("streams the same in the events of the dialect", async () => {
    const stream = messages().stream(asked);
    const kinds: string[] = [];
    for await (const { type } of stream) if (kinds.at(-1) !== type) kinds.push(type);
    expect(kinds).toEqual([
      "message_start",
      "content_block_start",
      "content_block_delta",
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
    expect(await stream.finalText()).toBe(TEXT);
    const { stop_reason, usage } = await stream.finalMessage();
    expect(stop_reason).toBe("end_turn");
    expect(usage.output_tokens).toBeGreaterThan(30);
  });

  it("takes a system prompt, as text and as blocks, and counts it", async () => {
    const bare = await messages().countTokens({ model: talks, messages: [...QUESTION] });
    const system = [{ type: "text", text: "Answer briefly.", cache_control: { type: "ephemeral" } }] as const;
    const more = await messages().countTokens({
      model: talks,
      messages: [...QUESTION],
      system: [...system],
      tools: messageTools(),
    });
    expect(more.input_tokens).toBeGreaterThan(bare.input_tokens);
    for (const said of ["Answer briefly.", [...system]]) {
      const { usage, content } = await messages().create({ ...asked, system: said });
      expect(content[0]?.type).toBe("text");
      const prompt = usage.input_tokens + (usage.cache_read_input_tokens ?? 0);
      const plain = await messages().create(asked);
      expect(prompt).toBeGreaterThan(plain.usage.input_tokens + (plain.usage.cache_read_input_tokens ?? 0));
    }
  });

  it("stops at a sequence and says at which where the engine tells", async () => {
    for (const streams of [false, true]) {
      const body = { ...asked, stop_sequences: ["never said", "sovereign"] };
      const answer = streams ? await messages().stream(body).finalMessage() : await messages().create(body);
      expect(answer.content).toMatchObject([{ type: "text", text: "Omni is the " }]);
      // llama-server's chat does not tell the two ends apart.
      expect([answer.stop_reason, answer.stop_sequence]).toEqual(
        kind === "embedded" ? ["stop_sequence", "sovereign"] : ["end_turn", null],
      );
    }
  });

  it("takes a history with thinking, calls and their results", async () => {
    const { content, usage } = await messages().create({
      model: talks,
      max_tokens: 20,
      thinking: { type: "disabled" },
      tools: messageTools(),
      messages: [
        ...QUESTION,
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "The time is asked for.", signature: "c2lnbmVk" },
            { type: "redacted_thinking", data: "c2VjcmV0" },
            { type: "text", text: "I look." },
            { type: "tool_use", id: "toolu_1", name: "get_time", input: { city: "Paris" } },
            { type: "tool_use", id: "toolu_2", name: "get_weather", input: { city: "Köln" } },
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "toolu_1", content: [{ type: "text", text: "noon" }] },
            { type: "tool_result", tool_use_id: "toolu_2", is_error: true, content: "no weather" },
            { type: "text", text: "Well?" },
          ],
        },
      ],
    });
    expect(content[0]?.type).toBe("text");
    expect(usage.output_tokens).toBeGreaterThan(0);
    const thinks = await messages().create({
      ...asked,
      max_tokens: 1500,
      thinking: { type: "enabled", budget_tokens: 1024 },
    });
    expect(thinks.content.at(-1)?.type).toBe("text");
  });

  it("has a picture that its engine cannot see refused in the client's own error", async () => {
    const source = { type: "base64", media_type: "image/png", data: DOT } as const;
    const refused: unknown = await messages()
      .create({ ...asked, messages: [{ role: "user", content: [{ type: "image", source }] }] })
      .catch((thrown: unknown) => thrown);
    expect(refused).toBeInstanceOf(BadRequestError);
    expect(refused instanceof APIError ? [refused.message, refused.requestID] : []).toEqual([
      expect.stringContaining("image"),
      expect.stringMatching(/^req_/),
    ]);
  });

  it("lists models in its own shape and knows who is missing", async () => {
    const found: unknown[] = [];
    for await (const model of node.anthropic().models.list()) found.push(model);
    const shape = { type: "model", id: talks, display_name: talks };
    expect(found).toContainEqual(expect.objectContaining(shape));
    const { created_at, ...one } = await node.anthropic().models.retrieve(talks);
    expect(one).toMatchObject(shape);
    expect(Math.abs(Date.parse(created_at) - Date.now())).toBeLessThan(3_600_000);
    await expect(messages().create({ ...asked, model: "nobody" })).rejects.toBeInstanceOf(NotFoundError);
  });
});

describeEngines("tools of the anthropic client", ({ kind, talks, calls }) => {
  // The embedded engine forces a call by itself; with llama-server the chosen words are those that the grammar leaves.
  it.runIf(kind === "embedded")("calls them, streamed and not", async () => {
    for (const tool_choice of [{ type: "any" }, { type: "tool", name: "get_time" }] as const) {
      for (const streams of [false, true]) {
        const body = {
          model: talks,
          max_tokens: 300,
          messages: [...QUESTION],
          tools: messageTools(),
          tool_choice,
        };
        const answer = streams ? await messages().stream(body).finalMessage() : await messages().create(body);
        expect(answer.stop_reason).toBe("tool_use");
        const call = answer.content.at(-1);
        if (call?.type !== "tool_use") throw new Error(`no call but ${JSON.stringify(answer.content)}`);
        expect(ARGUMENTS.parse(call.input)).toBeTruthy();
        expect(tool_choice.type === "any" || call.name === "get_time").toBe(true);
        await goesOn(talks, answer);
      }
    }
  });

  it("offers them without being made to", async () => {
    const body = { model: calls, max_tokens: 20, messages: [...QUESTION], tools: messageTools() };
    const answer = await messages().create({ ...body, tool_choice: { type: "none" } });
    expect(answer.content.every(({ type }) => type === "text")).toBe(true);
  });
});

/** The whole round: the call as it was made goes back, and its result. */
async function goesOn(model: string, answer: Anthropic.Message): Promise<void> {
  const results = answer.content.flatMap((block) =>
    block.type === "tool_use"
      ? [{ type: "tool_result" as const, tool_use_id: block.id, content: "noon" }]
      : [],
  );
  const next = await messages().create({
    model,
    max_tokens: 10,
    tools: messageTools(),
    messages: [
      ...QUESTION,
      { role: "assistant", content: answer.content },
      { role: "user", content: results },
    ],
  });
  expect(next.content[0]?.type).toBe("text");
}
