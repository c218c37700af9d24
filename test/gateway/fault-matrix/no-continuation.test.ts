import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { TEXT } from "../../fakes/fault-words.ts";
import type { Cell } from "./cells.ts";
import { askCell, nodeFor } from "./cells.ts";
import type { Dialect } from "./client.ts";
import { DIALECTS } from "./client.ts";
import { heard } from "./heard.ts";
import type { FaultEngine } from "./matrix-node.ts";
import { MatrixNode, seenAt, startFaultEngine } from "./matrix-node.ts";
import { checkCell } from "./outcomes.ts";

let engine: FaultEngine;

beforeAll(async () => {
  engine = await startFaultEngine();
});
afterAll(() => engine.stop());

let count = 0;

function told(dialect: Dialect): Cell {
  const name = `${count++}.${dialect}`;
  const outcome = { told: "upstream_cut" } as const;
  return { name, dialect, stream: true, outcome, first: `a.${name}`, next: `b.${name}` };
}

const SCHEMA = { type: "object", properties: { city: { type: "string" } } };
const TOOLS: readonly (readonly [Dialect, object])[] = [
  ["chat", { tools: [{ type: "function", function: { name: "weather", parameters: SCHEMA } }] }],
  ["responses", { tools: [{ type: "function", name: "weather", parameters: SCHEMA }] }],
  ["messages", { tools: [{ name: "weather", input_schema: SCHEMA }] }],
];
const FORMAT = { type: "json_schema", name: "x", schema: SCHEMA };

/** Answers that nobody can go on with, each with another service that is ready all the while. */
const IMPOSSIBLE: readonly (readonly [what: string, dialect: Dialect, more: object])[] = [
  ["a prescribed format", "chat", { response_format: { type: "json_schema", json_schema: FORMAT } }],
  ["a prescribed format", "completions", { response_format: { type: "json_object" } }],
  ["a prescribed format", "responses", { text: { format: FORMAT } }],
  ["log probabilities", "chat", { logprobs: true, top_logprobs: 2 }],
  ["log probabilities", "completions", { logprobs: 1 }],
  ["the best of several", "completions", { best_of: 2 }],
  ["an echo", "completions", { echo: true }],
  ["a text to fill in", "completions", { suffix: "the end" }],
  ["a grammar", "chat", { grammar: 'root ::= "a"' }],
  ["a required tool", "chat", { tool_choice: "required" }],
];

describe("an answer that cannot go on ends with an error event, though another service is ready", () => {
  it.concurrent.each(IMPOSSIBLE)("%s, in %s", async (_what, dialect, more) => {
    const cell = told(dialect);
    await using node = await nodeFor([cell], engine.port, {});
    const answer = await askCell(node, cell, { orders: ["cut 5"] }, { ...more });
    const seen = await seenAt(engine.port);
    checkCell(cell, { orders: [], said: 5 }, answer, node, seen);
    expect(seen.some(({ model }) => model === cell.next)).toBe(false);
  });

  it.concurrent.each(DIALECTS)("the route says so, in %s", async (dialect) => {
    const cell = told(dialect);
    await using node = await nodeFor([cell], engine.port, { rules: { continue: false } });
    const answer = await askCell(node, cell, { orders: ["cut 5"] });
    const seen = await seenAt(engine.port);
    checkCell(cell, { orders: [], said: 5, guessed: true }, answer, node, seen);
    expect(seen.some(({ model }) => model === cell.next)).toBe(false);
  });

  it.concurrent.each(TOOLS)("a tool call under way, in %s", async (dialect, more) => {
    const cell = told(dialect);
    await using node = await nodeFor([cell], engine.port, {});
    const answer = await askCell(node, cell, { orders: ["cut 2"] }, { ...more });
    const { errors, ends, finishes, wrong, text } = heard(cell.dialect, answer);
    expect({ ends, finishes, wrong, text }).toEqual({ ends: 0, finishes: [], wrong: [], text: "" });
    expect(errors.map(({ kind }) => kind)).toEqual([dialect === "messages" ? "api_error" : "upstream_cut"]);
    expect(answer.text).toContain("weather");
    expect(node.events.kinds()).toEqual(["request.cut"]);
    expect(node.records).toMatchObject([{ outcome: "cut", completionTokens: 2 }]);
    expect((await seenAt(engine.port)).some(({ model }) => model === cell.next)).toBe(false);
  });

  it.concurrent.each(["chat", "completions"] as const)("several choices, in %s", async (dialect) => {
    const cell = told(dialect);
    await using node = await nodeFor([cell], engine.port, {});
    const answer = await askCell(node, cell, { orders: ["cut 5"] }, { n: 2 });
    const { errors, ends, finishes } = heard(dialect, answer);
    expect({ ends, finishes, kinds: errors.map(({ kind }) => kind) }).toEqual({
      ends: 0,
      finishes: [],
      kinds: ["upstream_cut"],
    });
    expect(node.records).toMatchObject([{ outcome: "cut", completionTokens: 10 }]);
    expect((await seenAt(engine.port)).some(({ model }) => model === cell.next)).toBe(false);
  });

  it("an engine that goes on with no begun message is not asked to, but continues a prompt", async () => {
    const [chat, completions] = [told("chat"), told("completions")];
    await using node = await new MatrixNode({
      services: [chat, completions].flatMap(({ first, next }) => [
        { name: first, port: engine.port },
        { name: next, port: engine.port, kind: "openai" },
      ]),
      routes: [chat, completions].map(({ name, first, next }) => ({ name, services: [first, next] })),
      failsForGood: true,
    }).listen();
    const orders = ["cut 5"];
    const answer = await askCell(node, chat, { orders });
    checkCell(chat, { orders, said: 5 }, answer, node, await seenAt(engine.port));
    const whole = await askCell(node, completions, { orders });
    checkCell(
      { ...completions, outcome: "continued" },
      { orders, said: 5 },
      whole,
      node,
      await seenAt(engine.port),
    );
    expect(heard("completions", whole).text).toBe(TEXT);
  });
});
