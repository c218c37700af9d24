import { describe, expect, it } from "vitest";
import { emptyAnswer } from "../turn.ts";
import type { Call, Turn } from "../turn.ts";
import { chatRequest, imageRequest } from "./chat-request.ts";
import { maxTokensFault, temperatureFault, USUAL_SETTINGS } from "./chat-settings.ts";
import { drawnSize } from "./shrink-image.ts";

const said = (text: string, images: readonly string[] = []): Turn => ({
  id: text,
  role: "user",
  text,
  images,
});
const answered = (parts: Extract<Turn, { role: "assistant" }>["parts"]): Turn => ({
  ...emptyAnswer("answer", "main", 0),
  state: "ended",
  parts,
});
const call = (state: Call["state"]): Call => ({
  id: "c1",
  server: "files",
  name: "read",
  arguments: "{}",
  state,
});

describe("a chat", () => {
  it("is asked with what was said, without thoughts and without what is not set", () => {
    const turns = [
      said("Hi"),
      answered([
        { kind: "reasoning", text: "Hm." },
        { kind: "text", text: "Hello." },
      ]),
      said("And?"),
    ];
    expect(chatRequest("main", turns, USUAL_SETTINGS)).toEqual({
      path: "./v1/chat/completions",
      body: {
        model: "main",
        stream: true,
        stream_options: { include_usage: true },
        messages: [
          { role: "user", content: "Hi" },
          { role: "assistant", content: "Hello." },
          { role: "user", content: "And?" },
        ],
      },
    });
  });

  it("takes system prompt, sampling and pictures along", () => {
    const settings = { ...USUAL_SETTINGS, system: " Be short. ", temperature: "0.5", maxTokens: "64" };
    const { body } = chatRequest("main", [said("What is it?", ["data:image/jpeg;base64,AA"])], settings);
    expect(body).toMatchObject({
      temperature: 0.5,
      max_tokens: 64,
      messages: [
        { role: "system", content: "Be short." },
        {
          role: "user",
          content: [
            { type: "text", text: "What is it?" },
            { type: "image_url", image_url: { url: "data:image/jpeg;base64,AA" } },
          ],
        },
      ],
    });
  });
});

describe("with tools on the node", () => {
  const settings = { ...USUAL_SETTINGS, servers: ["files"] };

  it("is asked in the words that show each call, and tells of those that were made", () => {
    const returned: Call = { ...call("returned"), result: "42" };
    const { path, body } = chatRequest(
      "main",
      [said("Hi"), answered([{ kind: "call", call: returned }])],
      settings,
    );
    expect(path).toBe("./v1/responses");
    expect(body).toMatchObject({
      tools: [{ type: "mcp", server_label: "files" }],
      input: [{ role: "user" }, { type: "mcp_call", server_label: "files", output: "42" }],
    });
  });

  it("tells what a person decided, and nothing of what nobody decided", () => {
    const body = (state: Call["state"]): unknown =>
      chatRequest("main", [answered([{ kind: "call", call: call(state) }])], settings).body["input"];
    expect(body("agreed")).toMatchObject([
      { type: "mcp_approval_request", id: "c1" },
      { type: "mcp_approval_response", approval_request_id: "c1", approve: true },
    ]);
    expect(body("declined")).toMatchObject([{}, { approve: false }]);
    expect(body("asked")).toEqual([]);
  });

  it("names the server of a call that was agreed to, also when it was unchecked since", () => {
    const turns = [answered([{ kind: "call", call: call("agreed") }])];
    expect(chatRequest("main", turns, USUAL_SETTINGS).body["tools"]).toEqual([
      { type: "mcp", server_label: "files" },
    ]);
  });
});

it("an image is asked for by its prompt alone", () => {
  expect(imageRequest("flux", "A cat", { ...USUAL_SETTINGS, imageSize: "512x512" }).body).toEqual({
    model: "flux",
    prompt: "A cat",
    stream: true,
    size: "512x512",
  });
});

it("values that engines refuse are told before they are sent", () => {
  expect([temperatureFault(""), temperatureFault("1.5"), maxTokensFault("12")]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  for (const fault of [
    temperatureFault("3"),
    temperatureFault("warm"),
    maxTokensFault("0"),
    maxTokensFault("1.5"),
  ])
    expect(fault).toMatch(/number/);
});

it("pictures keep their shape when they are made smaller, and are never made larger", () => {
  expect(drawnSize(3072, 1536, 1536)).toEqual([1536, 768]);
  expect(drawnSize(100, 50, 1536)).toEqual([100, 50]);
  expect(drawnSize(40_000, 1, 1536)).toEqual([1536, 1]);
});
