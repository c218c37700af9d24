import { afterAll, beforeAll, expect, it } from "vitest";
import { messageTools, QUESTION } from "./sdk-questions.ts";
import type { SdkNode } from "./sdk-node.ts";
import { describeEngines, startSdkNode } from "./sdk-node.ts";

let node: SdkNode;
beforeAll(async () => {
  node = await startSdkNode(["talks"]);
});
afterAll(() => node?.stop());

const CACHED = { cache_control: { type: "ephemeral" } } as const;

describeEngines("what products send", ({ talks }) => {
  it("Claude Code: beta query and headers, metadata, cache marks, tools, a limit beyond the window, a stream", async () => {
    const answer = await fetch(`${node.url}/v1/messages?beta=true`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json",
        authorization: "Bearer unused",
        "anthropic-version": "2023-06-01",
        "anthropic-beta":
          "claude-code-20250219,interleaved-thinking-2025-05-14,fine-grained-tool-streaming-2025-05-14",
        "anthropic-dangerous-direct-browser-access": "true",
        "x-app": "cli",
        "x-stainless-lang": "js",
        "user-agent": "claude-cli/2.1.0 (external, cli)",
      },
      body: JSON.stringify({
        model: talks,
        max_tokens: 32_000,
        stream: true,
        metadata: { user_id: "user_0_account__session_0" },
        system: [
          { type: "text", text: "You are Claude Code.", ...CACHED },
          { type: "text", text: "Be brief.", ...CACHED },
        ],
        messages: [
          {
            role: "user",
            content: [
              { type: "text", text: "<system-reminder>The date is today.</system-reminder>" },
              { type: "text", text: "What is Omni?", ...CACHED },
            ],
          },
        ],
        tools: messageTools().map((tool) => ({
          ...tool,
          input_schema: { $schema: "http://json-schema.org/draft-07/schema#", ...tool.input_schema },
        })),
        context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] },
        output_config: { effort: "medium" },
      }),
    });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([
      200,
      expect.stringMatching(/^text\/event-stream/),
    ]);
    const wire = await answer.text();
    expect(wire.startsWith("event: message_start\n")).toBe(true);
    expect(wire).toContain("event: content_block_delta\n");
    expect(wire.trimEnd().split("\n\n").at(-1)).toMatch(/^event: message_stop\n/);
  });

  it("Claude Code: counts, and the small question before a session, in one piece", async () => {
    const headers = { "anthropic-beta": "token-counting-2024-11-01" };
    const { input_tokens } = await node
      .anthropic()
      .messages.countTokens({ model: talks, messages: [...QUESTION], tools: messageTools() }, { headers });
    expect(input_tokens).toBeGreaterThan(10);
    const quota = await node.anthropic().beta.messages.create({
      model: talks,
      max_tokens: 1,
      messages: [{ role: "user", content: "quota" }],
      metadata: { user_id: "user_0" },
      betas: ["interleaved-thinking-2025-05-14"],
    });
    expect([quota.stop_reason, quota.usage.output_tokens]).toEqual(["max_tokens", 1]);
  });

  it("Open WebUI: the list of models, then a chat stream with options of its own", async () => {
    const authorization = "Bearer unused";
    const list = await fetch(`${node.url}/v1/models`, { headers: { authorization } });
    expect(await list.json()).toMatchObject({
      object: "list",
      data: expect.arrayContaining([
        expect.objectContaining({ id: talks, object: "model", owned_by: "omni" }),
      ]),
    });
    const answer = await fetch(`${node.url}/v1/chat/completions`, {
      method: "POST",
      headers: {
        authorization,
        "content-type": "application/json",
        "x-openwebui-user-name": "A%20User",
        "x-openwebui-chat-id": "0",
      },
      body: JSON.stringify({
        stream: true,
        model: talks,
        messages: [
          { role: "system", content: "Be brief." },
          ...QUESTION,
          { role: "assistant", content: "A node." },
          { role: "user", content: [{ type: "text", text: "What is Omni?" }] },
        ],
        stream_options: { include_usage: true },
        temperature: 0.8,
        top_p: 0.9,
        max_tokens: 16,
        seed: 0,
        frequency_penalty: 0,
      }),
    });
    const wire = await answer.text();
    expect([answer.status, wire.endsWith("data: [DONE]\n\n")]).toEqual([200, true]);
    expect(wire).toContain('"usage":{');
    const title = await node.openai().chat.completions.create({
      model: talks,
      messages: [{ role: "user", content: "### Task:\nGenerate a concise title as JSON." }],
      stream: false,
      max_completion_tokens: 1000,
    });
    expect(title.choices[0]?.message.content?.length).toBeGreaterThan(0);
  });
});
