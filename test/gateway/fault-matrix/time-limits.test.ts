import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { TEXT, TOKENS } from "../../fakes/fault-words.ts";
import { until } from "../../fakes/gateway-under-test.ts";
import type { Cell } from "./cells.ts";
import { askCell, nodeFor } from "./cells.ts";
import type { Dialect } from "./client.ts";
import { ask, bodyOf, DIALECTS } from "./client.ts";
import { heard } from "./heard.ts";
import type { FaultEngine, SeenByEngine } from "./matrix-node.ts";
import { LIMITS, MatrixNode, seenAt, startFaultEngine } from "./matrix-node.ts";
import { checkCell } from "./outcomes.ts";
import type { Outcome } from "./requirements.ts";

let engine: FaultEngine;

beforeAll(async () => {
  engine = await startFaultEngine();
});
afterAll(() => engine.stop());

let count = 0;

function cellOf(dialect: Dialect, stream: boolean, outcome: Outcome): Cell {
  const name = `${count++}.${dialect}`;
  return { name, dialect, stream, outcome, first: `a.${name}`, next: `b.${name}` };
}

const seenBy = async (service: string): Promise<readonly SeenByEngine[]> =>
  (await seenAt(engine.port)).filter(({ model }) => model === service);

const SHAPES = DIALECTS.flatMap((dialect) => [[dialect, "stream"] as const, [dialect, "whole"] as const]);

describe("hedging", () => {
  const patient = { firstByte: 60_000, idle: 60_000, total: 60_000 };
  const rules = { hedge: { after: 60 }, timeouts: patient };

  it.concurrent.each(SHAPES)(
    "%s %s: the second answers while the first is silent",
    async (dialect, shape) => {
      const cell = cellOf(dialect, shape === "stream", "replaced");
      await using node = await nodeFor([cell], engine.port, { rules });
      const answer = await askCell(node, cell, { orders: ["slow 8000"] });
      const { text, errors, ids } = heard(dialect, answer);
      expect({ text, errors, ids: ids.size }).toEqual({ text: TEXT, errors: [], ids: 1 });
      expect(answer.headers).toMatchObject({ "x-omni-service": cell.next, "x-omni-attempts": "2" });
      // Nobody failed, so nothing is told; the first one's work is given up and not charged.
      expect(node.events.kinds()).toEqual([]);
      expect(node.records).toMatchObject([{ outcome: "answered", attempts: 2, service: cell.next }]);
      expect(node.usage).toMatchObject([{ service: cell.next, promptTokens: 7, completionTokens: 14 }]);
      expect(node.settled.get(cell.name)).toEqual([21]);
      expect(node.leased).toBe(0);
      await until(async () => (await seenBy(cell.first))[0]?.gone !== undefined);
    },
  );

  it.concurrent("is no second request where the first is quick enough", async () => {
    const cell = cellOf("chat", true, "untouched");
    await using node = await nodeFor([cell], engine.port, { rules: { hedge: { after: 1_500 } } });
    const answer = await askCell(node, cell, { orders: [] });
    checkCell(cell, { orders: [] }, answer, node, await seenAt(engine.port));
    await sleep(1_600);
    expect(await seenBy(cell.next)).toEqual([]);
  });

  it.concurrent("the one that answered is cut, and the other goes on", async () => {
    const cell = cellOf("chat", true, "continued");
    await using node = await nodeFor([cell], engine.port, { rules });
    const answer = await askCell(node, cell, { orders: [`slow 3000] [${cell.next} cut 5`] });
    const { text, errors, ids, comments } = heard("chat", answer);
    expect({ text, errors, ids: ids.size }).toEqual({ text: TEXT, errors: [], ids: 1 });
    const at = TOKENS.slice(0, 5).join("").length;
    expect(comments).toEqual([`: omni-continued service=${cell.first} at=${at}`]);
  });

  it.concurrent("both fail: the client hears of it once", async () => {
    const cell = cellOf("chat", false, { refused: 502, code: "upstream_failed", attempts: 2 });
    await using node = await nodeFor([cell], engine.port, { rules: { ...rules, retries: 1 } });
    const answer = await askCell(node, cell, {
      orders: [`slow 600] [${cell.first} close] [${cell.next} close`],
    });
    expect([answer.status, heard("chat", answer).errors[0]?.kind]).toEqual([502, "upstream_failed"]);
    expect(node.records).toMatchObject([{ outcome: "failed", attempts: 2 }]);
    expect(node.leased).toBe(0);
  });
});

describe("the time for the whole answer is up", () => {
  const rules = { timeouts: { firstByte: 60_000, idle: 60_000, total: 1_500 } };

  it.concurrent.each(DIALECTS)(
    "a stream in %s ends with an error event, and nobody goes on",
    async (dialect) => {
      const cell = cellOf(dialect, true, { told: "upstream_timeout" });
      await using node = await nodeFor([cell], engine.port, { rules });
      const answer = await askCell(node, cell, { orders: ["gap 300"] });
      const { text, errors, ends, finishes } = heard(dialect, answer);
      expect({ ends, finishes }).toEqual({ ends: 0, finishes: [] });
      expect(TEXT.startsWith(text) && text !== TEXT && text !== "").toBe(true);
      expect(errors.map(({ kind }) => kind)).toEqual([
        dialect === "messages" ? "api_error" : "upstream_timeout",
      ]);
      expect(node.events.kinds()).toEqual(["request.cut"]);
      expect(node.records).toMatchObject([{ outcome: "cut", attempts: 1, error: "upstream_timeout" }]);
      expect(await seenBy(cell.next)).toEqual([]);
      await until(async () => (await seenBy(cell.first))[0]?.gone !== undefined);
    },
  );

  it.concurrent.each(DIALECTS)("a whole answer in %s is refused with 504", async (dialect) => {
    const cell = cellOf(dialect, false, { refused: 504, code: "upstream_timeout", attempts: 1 });
    await using node = await nodeFor([cell], engine.port, { rules });
    const answer = await askCell(node, cell, { orders: ["slow 9000"] });
    checkCell(cell, { orders: [] }, answer, node, await seenAt(engine.port));
    expect(await seenBy(cell.next)).toEqual([]);
  });

  it.concurrent("also while nobody is there who goes on", async () => {
    const node = await new MatrixNode({
      services: [{ name: "a", port: engine.port }],
      routes: [
        { name: "r", services: ["a"], rules: { retries: 50, timeouts: { ...rules.timeouts, total: 1_000 } } },
      ],
      limits: LIMITS,
    }).listen();
    await using _ = node;
    // Only the role was said: it breaks there again and again.
    const answer = await ask({
      url: node.url,
      dialect: "chat",
      body: bodyOf("chat", "r", "[a cut 0]", true),
    });
    const { errors, ends } = heard("chat", answer);
    expect([errors.length, ends]).toEqual([1, 0]);
    expect(node.records).toMatchObject([{ outcome: "cut" }]);
    expect(node.leased).toBe(0);
  });
});
