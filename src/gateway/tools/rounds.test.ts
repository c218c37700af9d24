import fc from "fast-check";
import { expect, test } from "vitest";

import type { JsonObject } from "../../dialects/dialect.ts";
import type { RoutedBody } from "../routed-body.ts";
import { readRoutedBody } from "../routed-body.ts";
import { ChatRound } from "./chat-round.ts";
import { mayWantHostedTools, wantsHostedTools } from "./hosted-servers.ts";
import { modelHistory } from "./model-history.ts";
import { ResponseOutput } from "./response-output.ts";
import { ResponseRound } from "./response-round.ts";

const tool = { name: "s__t", server: "s", tool: "t", inputSchema: {}, approval: false };

/** Objects with members that mean something, of values that mean anything. */
const members = (names: readonly string[]) =>
  fc.dictionary(fc.constantFrom(...names), fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.nat(3)));

test("whatever an engine streams, a round of a chat takes it, and its calls have ids of their own", () => {
  const call = fc.record(
    { index: fc.oneof(fc.nat(4), fc.jsonValue()), id: fc.constantFrom("a", "b"), function: fc.jsonValue() },
    { requiredKeys: [] },
  );
  const delta = fc.oneof(
    members(["content", "role", "tool_calls", "reasoning_content"]),
    fc.record({ tool_calls: fc.array(call) }),
  );
  const chunk = fc.oneof(
    fc.jsonValue(),
    members(["choices", "usage", "error", "id"]),
    fc.record({ choices: fc.array(fc.record({ delta, finish_reason: fc.jsonValue() })) }),
  );
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 8 }), (chunks) => {
      let made = 0;
      const round = new ChatRound(new Set(["a"]), (type) => `${type}_${made++}`);
      for (const one of chunks) round.event(JSON.stringify(one));
      round.event("no json");
      const ids = round.calls.map(({ id }) => id);
      expect(new Set([...ids, "a"]).size).toBe(ids.length + 1);
      expect(round.message["role"]).toBe("assistant");
      for (const one of chunks) new ChatRound(new Set(), String).whole(Buffer.from(JSON.stringify(one)));
    }),
  );
});

test("whatever an engine streams, a round of a response takes it, with one numbering and no place without its item", () => {
  const type = fc.constantFrom(
    ...["output_item.added", "output_item.done", "output_text.delta", "completed", "failed", "created"].map(
      (name) => `response.${name}`,
    ),
    "response.function_call_arguments.delta",
    "error",
    "",
  );
  const item = fc.oneof(
    fc.jsonValue(),
    fc.record({
      type: fc.constantFrom("message", "function_call"),
      name: fc.constantFrom("s__t", "own"),
      call_id: fc.string(),
    }),
  );
  const event = fc.record({
    type,
    output_index: fc.oneof(fc.nat(3), fc.jsonValue()),
    item,
    response: fc.jsonValue(),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 12 }), (events) => {
      const sent: JsonObject[] = [];
      let made = 0;
      const output = new ResponseOutput((told) => sent.push(told));
      const around = {
        output,
        newId: (of: string) => `${of}_${made++}`,
        tool: (name: string) => (name === "s__t" ? tool : undefined),
        hides: () => false,
        usedIds: new Set<string>(),
      };
      const round = new ResponseRound(around);
      for (const one of events) round.event({ ...one });
      round.whole(Buffer.from(JSON.stringify({ output: events.map((one) => one.item) })));
      expect(sent.map((told) => told["sequence_number"])).toEqual(sent.map((_, at) => at));
      const places = sent.flatMap((told) =>
        typeof told["output_index"] === "number" ? [told["output_index"]] : [],
      );
      expect(places.every((place) => place < output.items.length)).toBe(true);
      expect(round.status).toBeDefined();
    }),
  );
});

test("any history at all is written for a model, or refused with the place", () => {
  const item = members(["type", "id", "approval_request_id", "approve", "output", "error", "name"]);
  const hosted = fc.record({
    type: fc.constantFrom("mcp_call", "mcp_approval_request", "mcp_approval_response", "mcp_list_tools"),
    id: fc.constantFrom("a", "b"),
    approval_request_id: fc.constantFrom("a", "b"),
    approve: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(fc.oneof(item, hosted), { maxLength: 10 }), (input) => {
      const history = modelHistory(input);
      const types = "status" in history ? [] : history.items.map(({ type }) => String(type));
      expect(types.filter((type) => type.startsWith("mcp_"))).toEqual([]);
      const agreed = "status" in history ? [] : history.agreed.map(({ approval }) => approval);
      expect(new Set(agreed).size).toBe(agreed.length);
    }),
  );
});

const read = (body: JsonObject): RoutedBody => {
  const read = readRoutedBody(
    { id: "r", operation: "chat", path: "/v1/chat/completions", headers: {} },
    Buffer.from(JSON.stringify(body)),
  );
  if (read instanceof Promise) throw new Error("so small a body is read at once");
  return read;
};

test("which requests want hosted tools", () => {
  const body = { tools: [{ type: "function" }, { type: "mcp", server_label: "a" }] };
  expect(wantsHostedTools(body)).toBe(true);
  expect(mayWantHostedTools(read(body))).toBe(true);
  expect(mayWantHostedTools(read({ tools: [{ type: "function" }], user: '"mcp"' }))).toBe(false);
  expect(mayWantHostedTools(read({ model: "mcp" }))).toBe(false);
  for (const tools of [undefined, null, 5, [5], [{ type: "function" }]]) {
    expect(wantsHostedTools({ tools })).toBe(false);
  }
});
