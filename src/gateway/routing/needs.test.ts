import { expect, test } from "vitest";

import { askOf, chatOf } from "../../../test/fakes/routing-node.ts";
import { lacks, needsOf } from "./needs.ts";

const part = (type: string): Record<string, unknown> => ({
  messages: [{ role: "user", content: [{ type }] }],
});

test("each feature is seen where its dialect has it", () => {
  expect(needsOf(chatOf("hi"))).toEqual([]);
  expect(needsOf(chatOf("hi", { tools: [] }))).toEqual([]);
  expect(needsOf(chatOf("hi", { tools: [{ type: "function" }] }))).toEqual(["tools"]);
  expect(needsOf(chatOf("hi", { response_format: { type: "text" } }))).toEqual([]);
  expect(needsOf(chatOf("hi", { response_format: { type: "json_schema", json_schema: {} } }))).toEqual([
    "json",
  ]);
  expect(needsOf(askOf({ input: "x", text: { format: { type: "json_object" } } }, "responses"))).toEqual([
    "json",
  ]);
  expect(needsOf(askOf(part("image_url")))).toEqual(["vision"]);
  expect(needsOf(askOf(part("image"), "messages"))).toEqual(["vision"]);
  expect(needsOf(askOf(part("input_audio")))).toEqual(["audio"]);
  expect(needsOf(askOf({ input: [{ content: [{ type: "input_image" }] }] }, "responses"))).toEqual([
    "vision",
  ]);
  expect(needsOf(chatOf("hi", { reasoning_effort: "high" }))).toEqual(["reasoning"]);
  expect(needsOf(chatOf("hi", { reasoning_effort: "none" }))).toEqual([]);
  expect(
    needsOf(askOf({ messages: [], thinking: { type: "enabled", budget_tokens: 2000 } }, "messages")),
  ).toEqual(["reasoning"]);
  expect(needsOf(askOf({ messages: [], thinking: { type: "disabled" } }, "messages"))).toEqual([]);
  expect(needsOf(askOf({ input: "x" }, "embeddings"))).toEqual(["embeddings"]);
  expect(needsOf(askOf({ query: "x" }, "score"))).toEqual(["rerank"]);
});

test("white space before a part's type does not hide it", () => {
  const bytes = Buffer.from('{"messages":[{"content":[{"type" :\n "image_url"}]}]}');
  const ask = { ...askOf({}), bytes, spans: new Map([["messages", { start: 12, end: bytes.length - 1 }]]) };
  expect(needsOf(ask)).toEqual(["vision"]);
});

test("a service lacks what it does not say, but for thinking", () => {
  expect(lacks(["chat"], ["tools", "reasoning"], "chat")).toEqual(["tools"]);
  expect(lacks(["tools", "vision"], ["tools", "vision"], "chat")).toEqual([]);
  expect(lacks(["embeddings"], [], "chat")).toEqual(["chat"]);
  expect(lacks(["embeddings"], [], "completions")).toEqual(["completion"]);
  expect(lacks(["chat"], ["embeddings"], "embeddings")).toEqual(["embeddings"]);
});
