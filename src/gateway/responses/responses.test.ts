import OpenAI from "openai";
import fc from "fast-check";
import { expect, test } from "vitest";

import { CALLER, startEndpoints } from "../../../test/fakes/endpoint-server.ts";
import { objectIn, objectsIn } from "../../../test/fakes/json-objects.ts";
import { MemoryEventLog } from "../../../test/fakes/memory-event-log.ts";
import { openResponseStore } from "../../../test/fakes/response-store.ts";
import type { JsonObject } from "../../dialects/dialect.ts";
import type { StoredResponses } from "../../store/index.ts";
import { expandInput } from "./expand-input.ts";
import type { PreparedResponse } from "./prepare-response.ts";
import { prepareResponse } from "./prepare-response.ts";
import { storedResponses } from "./responses-endpoint.ts";

const says = (id: string, text: string, more: JsonObject = {}): JsonObject => ({
  id,
  object: "response",
  status: "completed",
  model: "m",
  output: [
    { id: `rs_${id}`, type: "reasoning", summary: [], encrypted_content: "…" },
    {
      id: `msg_${id}`,
      type: "message",
      role: "assistant",
      content: [{ type: "output_text", text, annotations: [] }],
    },
  ],
  ...more,
});

function prepared(store: StoredResponses, body: JsonObject, key = "alice"): PreparedResponse {
  const result = prepareResponse(body, { key }, store, new MemoryEventLog());
  if ("status" in result) throw new Error(result.message);
  return result;
}

const refused = (store: StoredResponses, body: JsonObject, key = "alice") => {
  const result = prepareResponse(body, { key }, store, new MemoryEventLog());
  if (!("status" in result)) throw new Error("was not refused");
  return result;
};

/** Roles and texts of an expanded input, `reasoning` for a reasoning item. */
const lines = (input: unknown): unknown[] =>
  objectsIn(input).map((item) => {
    const content = item["content"];
    const text = Array.isArray(content) ? objectsIn(content)[0]?.["text"] : content;
    return typeof text === "string" ? `${String(item["role"])}: ${text}` : item["type"];
  });

test("a conversation continues by the id of its last response, reasoning included, instructions not", () => {
  using folder = openResponseStore();
  const store = folder.responses;
  prepared(store, { input: "one", instructions: "be brief" }).remember(says("r1", "first"));
  prepared(store, { input: "two", previous_response_id: "r1" }).remember(says("r2", "second"));
  const { body } = prepared(store, {
    input: [{ role: "user", content: "three" }],
    previous_response_id: "r2",
    model: "m",
  });
  expect(lines(body["input"])).toEqual([
    "user: one",
    "reasoning",
    "assistant: first",
    "user: two",
    "reasoning",
    "assistant: second",
    "user: three",
  ]);
  expect(body["instructions"]).toBeUndefined();
  expect(body["model"]).toBe("m");
  const ids = objectsIn(body["input"]).map((item) => item["id"]);
  expect(new Set(ids).size).toBe(7);
});

test("another key's response is as if it were not there", () => {
  using folder = openResponseStore();
  prepared(folder.responses, { input: "one" }).remember(says("r1", "first"));
  const error = refused(folder.responses, { input: "two", previous_response_id: "r1" }, "bob");
  expect(error).toMatchObject({
    status: 400,
    code: "previous_response_not_found",
    param: "previous_response_id",
  });
  const reference = refused(folder.responses, { input: [{ type: "item_reference", id: "msg_r1" }] }, "bob");
  expect(reference).toMatchObject({ status: 404, param: "input[0].id" });
});

test("store: false keeps nothing", () => {
  using folder = openResponseStore();
  prepared(folder.responses, { input: "one", store: false }).remember(says("r1", "first"));
  expect(refused(folder.responses, { input: "x", previous_response_id: "r1" }).message).toMatch(
    /never stored/,
  );
});

test("a conversation whose middle was deleted is refused with the id that is gone", () => {
  using folder = openResponseStore();
  prepared(folder.responses, { input: "one" }).remember(says("r1", "first"));
  prepared(folder.responses, { input: "two", previous_response_id: "r1" }).remember(says("r2", "second"));
  folder.responses.delete("alice", "r1");
  const { message } = refused(folder.responses, { input: "x", previous_response_id: "r2" });
  expect(message).toMatch(/leads to "r1".*gone/);
});

test("references are replaced by items of earlier responses, and left out where they are there already", () => {
  using folder = openResponseStore();
  prepared(folder.responses, { input: "one" }).remember(says("r1", "first"));
  const reference = { type: "item_reference", id: "msg_r1" };
  const alone = prepared(folder.responses, { input: [reference, { role: "user", content: "two" }] });
  expect(lines(alone.body["input"])).toEqual(["assistant: first", "user: two"]);
  const both = prepared(folder.responses, { input: [reference], previous_response_id: "r1" });
  expect(lines(both.body["input"])).toEqual(["user: one", "reasoning", "assistant: first"]);
});

test("depth, bytes and references are bounded, circles end", () => {
  using folder = openResponseStore();
  const store = folder.responses;
  for (let n = 0; n < 5; n++) {
    const previous = n === 0 ? {} : { previous_response_id: `r${n - 1}` };
    prepared(store, { input: "x".repeat(100), ...previous }).remember(says(`r${n}`, "y"));
  }
  const ask = { previous_response_id: "r4" };
  const alice = { key: "alice" };
  const deep = expandInput(ask, store, alice, { depth: 4, bytes: 1e6, references: 1 });
  expect(deep).toMatchObject({ code: "conversation_too_long", param: "previous_response_id" });
  const large = expandInput(ask, store, alice, { depth: 9, bytes: 1000, references: 1 });
  expect(large).toMatchObject({ code: "conversation_too_long" });
  const two = [{ id: "msg_r1" }, { id: "msg_r2" }];
  const many = expandInput({ input: two }, store, alice, { depth: 9, bytes: 1e6, references: 1 });
  expect(many).toMatchObject({ param: "input[1].id" });

  store.put("alice", { id: "loop", previous: "loop", input: "[]", answer: "{}", items: [] });
  expect(expandInput({ previous_response_id: "loop" }, store, alice)).toMatchObject({ all: [] });
});

test("what this node has no state for is refused by name", () => {
  using folder = openResponseStore();
  for (const [name, value] of [
    ["background", true],
    ["conversation", "conv_1"],
    ["prompt", { id: "p" }],
    ["store", "yes"],
    ["previous_response_id", 5],
  ] as const) {
    const error = refused(folder.responses, { input: "x", [name]: value });
    expect(error).toMatchObject({ status: 400, param: name });
    expect(error.message).toContain(name);
  }
});

test("any input at all gives items or a refusal with its place", () => {
  using folder = openResponseStore();
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (input, previous) => {
      const result = expandInput({ input, previous_response_id: previous }, folder.responses, {
        key: "alice",
      });
      const ids = "status" in result ? [] : result.all.map((item) => item["id"]);
      const place = "status" in result ? result.param : "input";
      expect(place).toMatch(/^(?:input|previous_response_id)/);
      expect(ids.every((id) => typeof id === "string")).toBe(true);
    }),
  );
});

test("a response that is too large is told in the event log, never to the client", () => {
  using folder = openResponseStore({ each: 1000 });
  const events = new MemoryEventLog();
  const result = prepareResponse({ input: "x".repeat(2000) }, CALLER, folder.responses, events);
  if ("status" in result) throw new Error(result.message);
  result.remember(says("r1", "first"));
  expect(events.events[0]?.message).toMatch(/Response r1 .* not kept.*takes 2\d\d\d bytes/);
});

test("OpenAI's client reads, lists and deletes what is its own", async () => {
  using folder = openResponseStore();
  const alice = { ...CALLER, key: "alice" };
  await using server = await startEndpoints({ "/v1/responses/*": storedResponses(folder.responses) }, [
    alice,
    { ...CALLER, key: "bob" },
  ]);
  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "alice", maxRetries: 0 });
  const other = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "bob", maxRetries: 0 });
  const input = ["a", "b", "c"].map((content) => ({ role: "user", content }));
  prepared(folder.responses, { input }).remember(says("r1", "first"));

  expect(await client.responses.retrieve("r1")).toMatchObject({ id: "r1", status: "completed" });
  const seen: unknown[] = [];
  for await (const item of client.responses.inputItems.list("r1", { limit: 2, order: "asc" })) {
    seen.push(objectIn(item)["content"]);
  }
  expect(seen).toEqual(["a", "b", "c"]);
  await expect(other.responses.retrieve("r1")).rejects.toMatchObject({ status: 404 });
  await expect(other.responses.delete("r1")).rejects.toMatchObject({ status: 404 });
  await expect(client.responses.cancel("r1")).rejects.toMatchObject({ status: 400 });
  await expect(client.responses.inputItems.list("r1", { limit: 1000 })).rejects.toMatchObject({
    status: 400,
    param: "limit",
  });
  await client.responses.delete("r1");
  await expect(client.responses.retrieve("r1")).rejects.toMatchObject({ code: "response_not_found" });
});
