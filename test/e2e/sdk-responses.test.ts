import type OpenAI from "openai";
import { APIError, BadRequestError, NotFoundError } from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { ARGUMENTS, DOT, TEXT, responseTools } from "./sdk-questions.ts";
import type { SdkNode } from "./sdk-node.ts";
import { describeEngines, startSdkNode } from "./sdk-node.ts";

let node: SdkNode;
beforeAll(async () => {
  node = await startSdkNode(["talks"]);
});
afterAll(() => node?.stop());

const responses = (): OpenAI["responses"] => node.openai().responses;

describeEngines("responses of the openai client", ({ talks, kind }) => {
  const asked = { model: talks, input: "What is Omni?", temperature: 0 };

  it("creates one with text and usage that adds up", async () => {
    const answer = await responses().create({ ...asked, metadata: { for: "a test" } });
    expect(answer).toMatchObject({ object: "response", status: "completed", output_text: TEXT, error: null });
    expect(answer.metadata).toEqual({ for: "a test" });
    const { input_tokens = 0, output_tokens = 0, total_tokens = 0 } = answer.usage ?? {};
    expect(input_tokens).toBeGreaterThan(5);
    expect(output_tokens).toBeGreaterThan(30);
    expect(total_tokens).toBe(input_tokens + output_tokens);
  });

  it("streams the same, its events in order and numbered, and says when it was cut short", async () => {
    const numbers: number[] = [];
    const kinds: string[] = [];
    let text = "";
    const stream = await responses().create({ ...asked, stream: true });
    for await (const event of stream) {
      numbers.push(event.sequence_number);
      if (kinds.at(-1) !== event.type) kinds.push(event.type);
      if (event.type === "response.output_text.delta") text += event.delta;
    }
    expect(text).toBe(TEXT);
    expect(numbers).toEqual(numbers.map((_, i) => i));
    expect(kinds).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_text.delta",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.completed",
    ]);
    const cut = await responses()
      .stream({ ...asked, max_output_tokens: 16 })
      .finalResponse();
    expect(cut).toMatchObject({ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } });
    expect(TEXT.startsWith(cut.output_text)).toBe(true);
  });

  it("goes on from a stored one, shows its input, and forgets it when told", async () => {
    const first = await responses().create({ ...asked, instructions: "Be brief.", max_output_tokens: 16 });
    const next = await responses().create({
      ...asked,
      input: "And more?",
      previous_response_id: first.id,
      max_output_tokens: 16,
    });
    expect(next.previous_response_id).toBe(first.id);
    // The first question and its answer are part of the second prompt.
    expect(next.usage?.input_tokens).toBeGreaterThan((first.usage?.input_tokens ?? 0) + 10);
    const kept = await responses().retrieve(next.id);
    expect([kept.id, kept.output_text]).toEqual([next.id, next.output_text]);
    const items: unknown[] = [];
    for await (const item of responses().inputItems.list(next.id)) items.push(item);
    expect(JSON.stringify(items)).toContain("And more?");

    await responses().delete(next.id);
    await expect(responses().retrieve(next.id)).rejects.toBeInstanceOf(NotFoundError);
    const onward = responses().create({ ...asked, previous_response_id: next.id });
    const refused: unknown = await onward.catch((thrown: unknown) => thrown);
    expect(refused instanceof APIError ? [refused.status, refused.message] : []).toEqual([
      expect.any(Number),
      expect.stringContaining(next.id),
    ]);
    const unkept = await responses().create({ ...asked, store: false, max_output_tokens: 16 });
    await expect(responses().retrieve(unkept.id)).rejects.toBeInstanceOf(NotFoundError);
  });

  it("keeps to a schema of zod", async () => {
    const answer = await responses().parse({
      ...asked,
      text: { format: zodTextFormat(z.object({ city: z.enum(["Köln", "Paris"]) }), "place") },
      max_output_tokens: 200,
    });
    expect(ARGUMENTS.parse(answer.output_parsed)).toBeTruthy();
  });

  // llama-server lets a model talk before a call, and this one does not stop: a call must be forced by the engine itself.
  it.runIf(kind === "embedded")("calls functions, streamed and not, and takes their results", async () => {
    const tools = responseTools();
    const body = { ...asked, tools, tool_choice: "required", max_output_tokens: 200 } as const;
    const whole = await responses().create(body);
    const streamed = await responses().stream(body).finalResponse();
    for (const { output } of [whole, streamed]) {
      const [call] = output;
      if (call?.type !== "function_call") throw new Error(`no call but ${JSON.stringify(output)}`);
      expect(["get_weather", "get_time"]).toContain(call.name);
      expect(ARGUMENTS.parse(JSON.parse(call.arguments))).toBeTruthy();
    }
    const [call] = whole.output;
    if (call?.type !== "function_call") throw new Error("no call");
    const told = await responses().create({
      model: talks,
      previous_response_id: whole.id,
      input: [{ type: "function_call_output", call_id: call.call_id, output: "sunny" }],
      max_output_tokens: 16,
    });
    expect(told.output[0]?.type).toBe("message");
  });

  it("has a picture that its engine cannot see refused in the client's own error", async () => {
    const image = `data:image/png;base64,${DOT}`;
    const part = { type: "input_image", image_url: image, detail: "auto" } as const;
    const refused: unknown = await responses()
      .create({ model: talks, input: [{ role: "user", content: [part] }] })
      .catch((thrown: unknown) => thrown);
    expect(refused).toBeInstanceOf(BadRequestError);
    expect(refused instanceof APIError ? refused.message : "").toMatch(/image/);
  });
});
