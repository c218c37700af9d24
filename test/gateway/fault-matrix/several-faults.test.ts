import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { TEXT, TOKENS } from "../../fakes/fault-words.ts";
import { startGateway } from "../../fakes/gateway-under-test.ts";
import type { Answer, Dialect } from "./client.ts";
import { ask, bodyOf, DIALECTS } from "./client.ts";
import { heard } from "./heard.ts";
import type { FaultEngine } from "./matrix-node.ts";
import { LIMITS, MatrixNode, startFaultEngine } from "./matrix-node.ts";

let engine: FaultEngine;

beforeAll(async () => {
  engine = await startFaultEngine();
});
afterAll(() => engine.stop());

const at = (tokens: number): number => TOKENS.slice(0, tokens).join("").length;

/** The marks of an answer that came from several hands, and that it is whole all the same. */
function marksOf(dialect: Dialect, answer: Answer): readonly string[] {
  const { text, ids, finishes, usages, ends, errors, wrong, comments } = heard(dialect, answer);
  expect({ text, errors, wrong, ends }).toEqual({ text: TEXT, errors: [], wrong: [], ends: 1 });
  expect([ids.size, finishes.length]).toEqual([1, 1]);
  expect([...usages]).toEqual(dialect === "completions" ? [] : [`7 ${TOKENS.length}`]);
  return comments.filter((comment) => comment.includes("omni"));
}

/** A stream on a route of three services of which each breaks in its way. */
async function threeHands(
  dialect: Dialect,
  orders: string,
  failsForGood = false,
): Promise<{ readonly answer: Answer; readonly node: MatrixNode }> {
  const services = ["a", "b", "c"];
  const node = await new MatrixNode({
    services: services.map((name) => ({ name, port: engine.port })),
    routes: [{ name: "r", services }],
    failsForGood,
  }).listen();
  const answer = await ask({ url: node.url, dialect, body: bodyOf(dialect, "r", orders, true) });
  return { answer, node };
}

describe.each(DIALECTS)("%s", (dialect) => {
  it.concurrent("is cut three times in a row, and goes on at the first again", async () => {
    const { answer, node } = await threeHands(dialect, "[a cut 3] [b stall 6] [c reset 9]");
    await using _ = node;
    expect(marksOf(dialect, answer)).toEqual([
      `: omni-continued service=b at=${at(3)}`,
      `: omni-continued service=c at=${at(6)}`,
      `: omni-continued service=a at=${at(9)}`,
    ]);
    expect(node.events.kinds()).toEqual(["a", "b", "c"].flatMap(() => ["request.cut", "request.continued"]));
    expect(node.records).toMatchObject([
      { outcome: "answered", attempts: 4, continued: 3, service: "a", promptTokens: 7, completionTokens: 14 },
    ]);
    expect(node.usage).toMatchObject([{ service: "a", promptTokens: 7, completionTokens: 14 }]);
  });

  it.concurrent.each(["half-first", "close", "500", "429", "503", "slow 9000", "malformed 5"])(
    "goes on at the third when the second fails by %s before it says anything",
    async (fault) => {
      const { answer, node } = await threeHands(dialect, `[a cut 4] [b ${fault}]`);
      await using _ = node;
      const heardFrom = fault === "malformed 5" ? ["b", "c"] : ["c"];
      const marks = marksOf(dialect, answer);
      expect(marks.at(-1)).toBe(`: omni-continued service=c at=${at(fault === "malformed 5" ? 5 : 4)}`);
      expect(marks).toHaveLength(heardFrom.length);
      expect(node.records).toMatchObject([
        { outcome: "answered", attempts: 3, continued: heardFrom.length, service: "c", completionTokens: 14 },
      ]);
      expect(node.usage).toHaveLength(1);
      expect(node.leased).toBe(0);
    },
  );

  it.concurrent("goes on at another behind the last word, of which only the end is missing", async () => {
    const { answer, node } = await threeHands(dialect, `[a cut ${TOKENS.length}]`);
    await using _ = node;
    expect(marksOf(dialect, answer)).toEqual([`: omni-continued service=b at=${at(TOKENS.length)}`]);
    expect(node.events.kinds()).toEqual(["request.cut", "request.continued"]);
    expect(node.records).toMatchObject([
      { outcome: "answered", attempts: 2, continued: 1, service: "b", completionTokens: TOKENS.length },
    ]);
  });

  it.concurrent("goes on at another that says nothing but why it ended", async () => {
    const { answer, node } = await threeHands(dialect, `[a cut ${TOKENS.length}] [b bare]`);
    await using _ = node;
    const { text, finishes, errors, wrong, comments } = heard(dialect, answer);
    expect({ text, finishes: finishes.length, errors, wrong }).toEqual({
      text: TEXT,
      finishes: 1,
      errors: [],
      wrong: [],
    });
    expect(comments.filter((comment) => comment.includes("omni"))).toEqual([
      `: omni-continued service=b at=${at(TOKENS.length)}`,
    ]);
    expect(node.events.kinds()).toEqual(["request.cut", "request.continued"]);
    expect(node.records).toMatchObject([{ outcome: "answered", attempts: 2, continued: 1, service: "b" }]);
  });

  it.concurrent("goes on at the first again when nobody else can", async () => {
    const { answer, node } = await threeHands(dialect, "[a cut 3] [b close] [c close]");
    await using _ = node;
    expect(marksOf(dialect, answer)).toEqual([`: omni-continued service=a at=${at(3)}`]);
    expect(node.records).toMatchObject([{ outcome: "answered", attempts: 4, continued: 1, service: "a" }]);
  });

  it.concurrent("ends with an error event when all are gone for good", async () => {
    const { answer, node } = await threeHands(dialect, "[a cut 3] [b cut 6] [c close]", true);
    await using _ = node;
    const { text, ends, finishes, errors, wrong } = heard(dialect, answer);
    expect({ text, ends, finishes, wrong }).toEqual({
      text: TOKENS.slice(0, 6).join(""),
      ends: 0,
      finishes: [],
      wrong: [],
    });
    // It names the one whose part ended last.
    expect(errors.map(({ message }) => message)).toEqual([
      expect.stringContaining('The answer of service "b" is incomplete'),
    ]);
    expect(node.events.kinds().slice(0, 3)).toEqual(["request.cut", "request.continued", "request.cut"]);
    expect(node.records).toMatchObject([
      { outcome: "cut", attempts: 3, continued: 1, completionTokens: 6, error: "upstream_cut" },
    ]);
    expect(node.usage).toMatchObject([{ completionTokens: 6 }]);
    expect(node.leased).toBe(0);
  });
});

describe("an engine that is killed and started again", () => {
  it.each(DIALECTS)("goes on with its own answer in %s", async (dialect) => {
    const program = fileURLToPath(new URL("../../fakes/fault-engine.ts", import.meta.url));
    await using node = await startGateway(
      [{ name: "a", kind: "llama.cpp", program, restartAfter: 100 }],
      [],
      {
        limits: LIMITS,
      },
    );
    const answer = await ask({ url: node.url, dialect, body: bodyOf(dialect, "a", "[a die 6]", true) });
    expect(marksOf(dialect, answer)).toEqual([`: omni-continued service=a at=${at(6)}`]);
    expect(node.events.kinds()[0]).toBe("request.cut");
    expect(node.events.kinds().at(-1)).toBe("request.continued");
  });
});
