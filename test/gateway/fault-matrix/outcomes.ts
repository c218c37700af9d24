import { expect } from "vitest";

import type { NodeEvent } from "../../../src/core/index.ts";
import type { RequestRecord } from "../../../src/telemetry/index.ts";
import { PROMPT_TOKENS, TEXT, TOKENS } from "../../fakes/fault-words.ts";
import type { Cell } from "./cells.ts";
import type { Answer } from "./client.ts";
import type { Heard } from "./heard.ts";
import { heard } from "./heard.ts";
import type { MatrixNode, SeenByEngine } from "./matrix-node.ts";
import type { Fault } from "./requirements.ts";

const FINISH = { chat: "stop", completions: "stop", responses: "completed", messages: "end_turn" } as const;

/** Everything that a cell left behind. */
interface Traces {
  readonly cell: Cell;
  readonly said: number;
  readonly guessed: boolean;
  readonly answer: Answer;
  readonly told: Heard;
  readonly events: readonly NodeEvent[];
  readonly node: MatrixNode;
  readonly seen: readonly SeenByEngine[];
}

/** Asserts what the client saw, what was written down of it, and what the engines were asked. */
export function checkCell(
  cell: Cell,
  fault: Fault,
  answer: Answer,
  node: MatrixNode,
  allSeen: readonly SeenByEngine[],
): void {
  const traces: Traces = {
    cell,
    said: fault.said ?? 0,
    guessed: fault.guessed === true,
    answer,
    told: cell.outcome === "broken off" ? nothing(cell) : heard(cell.dialect, answer),
    events: node.events.events.filter((event) => event.data?.["request"] === cell.name),
    node,
    seen: allSeen.filter(({ model }) => model === cell.next),
  };
  const { outcome } = cell;
  if (outcome === "broken off") checkBrokenOff(traces);
  else if (typeof outcome === "string") checkWhole(traces, outcome);
  else if ("told" in outcome) checkTold(traces, outcome.told);
  else if ("refused" in outcome) checkRefused(traces, outcome);
  else checkPassed(traces, outcome);
}

const nothing = ({ dialect }: Cell): Heard =>
  heard(dialect, { status: 200, headers: { "content-type": "text/event-stream" }, text: "", ended: "clean" });

/** The whole answer, each character once, however many engines had a part in it. */
function checkWhole(traces: Traces, outcome: "untouched" | "replaced" | "continued"): void {
  const { cell, answer, told, said } = traces;
  const by = outcome === "untouched" ? cell.first : cell.next;
  const headBy = outcome === "replaced" ? cell.next : cell.first;
  expect({ status: answer.status, ended: answer.ended, errors: told.errors }).toEqual({
    status: 200,
    ended: "clean",
    errors: [],
  });
  expect(answer.headers).toMatchObject({
    "x-omni-service": headBy,
    "x-omni-attempts": outcome === "replaced" ? "2" : "1",
    "x-omni-route": cell.name,
  });
  expect(told.text).toBe(TEXT);
  expect(told.wrong).toEqual([]);
  expect([...told.ids], "ids").toHaveLength(1);
  expect(told.finishes).toEqual([FINISH[cell.dialect]]);
  expect(told.ends).toBe(cell.stream ? 1 : 0);
  const hearsUsage = !(cell.stream && cell.dialect === "completions");
  expect([...told.usages]).toEqual(hearsUsage ? [`${PROMPT_TOKENS} ${TOKENS.length}`] : []);
  const at = TOKENS.slice(0, said).join("").length;
  expect(told.comments.filter((comment) => comment.includes("omni"))).toEqual(
    outcome === "continued" ? [`: omni-continued service=${by} at=${at}`] : [],
  );
  checkEvents(
    traces,
    outcome === "untouched" ? [] : outcome === "replaced" ? ["retried"] : ["cut", "continued"],
  );
  if (outcome === "continued") {
    expect(traces.events.at(-1)).toMatchObject({ service: by, data: { from: cell.first, characters: at } });
  }
  checkRecord(traces, {
    outcome: "answered",
    status: 200,
    service: by,
    attempts: outcome === "untouched" ? 1 : 2,
    continued: outcome === "continued" ? 1 : 0,
    promptTokens: PROMPT_TOKENS,
    completionTokens: TOKENS.length,
  });
  checkBooks(traces, [PROMPT_TOKENS, TOKENS.length], by);
  if (cell.next !== cell.first) {
    const given = outcome === "untouched" ? [] : [outcome === "replaced" ? 0 : said];
    expect(traces.seen.map((one) => one.given)).toEqual(given);
  }
}

/** A part, exactly what was said, and an error event behind it: no finish reason, no good end. */
function checkTold(traces: Traces, code: string): void {
  const { cell, answer, told, said } = traces;
  expect({ status: answer.status, ended: answer.ended }).toEqual({ status: 200, ended: "clean" });
  expect(answer.headers).toMatchObject({ "x-omni-service": cell.first, "x-omni-attempts": "1" });
  expect(told.text).toBe(TOKENS.slice(0, said).join(""));
  expect(told.errors.map(({ kind }) => kind)).toEqual([cell.dialect === "messages" ? "api_error" : code]);
  expect(told.errors[0]?.message).toContain(`The answer of service "${cell.first}" is incomplete`);
  expect(told.ends + told.finishes.length).toBe(0);
  expect(told.wrong).toEqual([]);
  expect([...told.ids]).toHaveLength(1);
  expect(answer.text).not.toContain("omni-continued");
  checkEvents(traces, ["cut"]);
  const record = checkRecord(traces, {
    outcome: "cut",
    status: 200,
    attempts: 1,
    continued: 0,
    error: code,
  });
  const { promptTokens = 0, completionTokens = 0 } = record ?? {};
  expect(completionTokens).toBeGreaterThanOrEqual(traces.guessed ? 1 : said);
  expect(completionTokens).toBeLessThanOrEqual(said);
  checkBooks(traces, [promptTokens, completionTokens], cell.first);
}

function checkRefused(
  traces: Traces,
  { refused, code, attempts }: { readonly refused: number; readonly code: string; readonly attempts: number },
): void {
  const { cell, answer, told } = traces;
  expect({ status: answer.status, kinds: told.errors.map(({ kind }) => kind) }).toEqual({
    status: refused,
    kinds: [cell.dialect === "messages" ? "api_error" : code],
  });
  expect(answer.headers).toMatchObject({
    "content-type": "application/json",
    "x-omni-service": cell.first,
    "x-omni-attempts": String(attempts),
  });
  expect(told.text).toBe("");
  const retries = Array.from({ length: attempts - 1 }, () => "retried");
  checkEvents(traces, code === "model_unavailable" ? ["retried"] : [...retries, "failed"]);
  checkRecord(traces, { outcome: "failed", status: refused, attempts, continued: 0, error: code });
  checkBooks(traces, undefined, cell.first);
}

function checkPassed(
  traces: Traces,
  { passed, attempts }: { readonly passed: number; readonly attempts: number },
): void {
  const { cell, answer, told } = traces;
  expect(answer.status).toBe(passed);
  expect(told.errors.map(({ message }) => message)).toEqual([
    passed === 503 ? "Loading model" : `told to answer ${passed}`,
  ]);
  expect(answer.headers["retry-after"]).toBe(passed === 429 ? "7" : undefined);
  expect(answer.headers).toMatchObject({
    "x-omni-service": cell.first,
    "x-omni-attempts": String(attempts),
  });
  const retries = Array.from({ length: attempts - 1 }, () => "retried");
  checkEvents(traces, [...retries, "failed"]);
  checkRecord(traces, { outcome: "answered", status: passed, attempts, continued: 0 });
  checkBooks(traces, undefined, cell.first);
}

function checkBrokenOff(traces: Traces): void {
  const { cell, answer } = traces;
  expect({ status: answer.status, ended: answer.ended }).toEqual({ status: 200, ended: "torn" });
  expect(answer.text).not.toMatch(/\}$/);
  expect(answer.headers).toMatchObject({ "x-omni-service": cell.first, "x-omni-attempts": "1" });
  checkEvents(traces, ["cut"]);
  checkRecord(traces, { outcome: "cut", status: 200, attempts: 1, continued: 0, error: "upstream_cut" });
  checkBooks(traces, undefined, cell.first);
}

const checkEvents = ({ events }: Traces, kinds: readonly string[]): void =>
  expect(events.map(({ kind }) => kind)).toEqual(kinds.map((kind) => `request.${kind}`));

function checkRecord(
  { cell, node }: Traces,
  expected: Readonly<Record<string, unknown>>,
): RequestRecord | undefined {
  const records = node.records.filter(({ id }) => id === cell.name);
  expect(records, "one record").toHaveLength(1);
  expect(records[0]).toMatchObject({
    ...expected,
    key: cell.name,
    route: cell.name,
    operation: cell.dialect,
    stream: cell.stream,
  });
  expect(records[0]?.tries).toHaveLength(Number(expected["attempts"]));
  return records[0];
}

/** What its key is charged: once, and what the record says. */
function checkBooks(
  { cell, node }: Traces,
  tokens: readonly [prompt: number, completion: number] | undefined,
  service: string,
): void {
  const entries = node.usage.filter(({ key }) => key === cell.name);
  const [promptTokens = 0, completionTokens = 0] = tokens ?? [];
  const entry = { key: cell.name, model: cell.name, service, promptTokens, completionTokens };
  expect(entries).toEqual(tokens === undefined ? [] : [entry]);
  expect(node.settled.get(cell.name)).toEqual([promptTokens + completionTokens]);
}
