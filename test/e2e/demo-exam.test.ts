import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { ROOT, startNode, temporaryFolder } from "./run-node.ts";
import type { RunningNode } from "./run-node.ts";

/** Questions in wordings that training never saw; `demo/training` asserts that. */
const EXAM = z
  .array(
    z.object({ id: z.string(), question: z.string(), facts: z.array(z.string()).min(1), answer: z.string() }),
  )
  .parse(JSON.parse(readFileSync(join(ROOT, "demo/exam.json"), "utf8")));
const PASS = 45;
/** Share of the words that may differ from the handbook's own sentence before it is no longer clean. */
const SLIP = 0.15;
const ANSWER = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string() }), finish_reason: z.string() })),
});

const folder = temporaryFolder();
let node: RunningNode;
beforeAll(async () => {
  node = await startNode([], folder.path);
});
afterAll(async () => {
  await node.interrupt();
  folder.remove();
});

async function ask(question: string): Promise<{ text: string; ended: string }> {
  const response = await fetch(`${node.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      model: "omni-demo",
      temperature: 0,
      max_tokens: 120,
      messages: [{ role: "user", content: question }],
    }),
  });
  const [choice] = ANSWER.parse(await response.json()).choices;
  return { text: choice?.message.content ?? "", ended: choice?.finish_reason ?? "" };
}

/** Words to insert, delete or replace to get from one text to the other. */
function wordDistance(a: string, b: string): number {
  const [left, right] = [a.split(/\s+/), b.split(/\s+/)];
  let previous = right.map((_, index) => index + 1);
  previous.unshift(0);
  left.forEach((word, row) => {
    const current = [row + 1];
    right.forEach((other, column) => {
      const same = (previous[column] ?? 0) + (word === other ? 0 : 1);
      current.push(Math.min(same, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    });
    previous = current;
  });
  return previous.at(-1) ?? 0;
}

it(`answers at least ${PASS} of 50 held-out wordings with the right facts in clean English, through the whole stack`, async () => {
  expect(EXAM).toHaveLength(50);
  const wrong: string[] = [];
  for (const { question, facts, answer } of EXAM) {
    const { text, ended } = await ask(question);
    const right = facts.every((fact) => text.toLowerCase().includes(fact.toLowerCase()));
    const clean = wordDistance(text.trim(), answer) <= Math.ceil(answer.split(/\s+/).length * SLIP);
    if (!right || !clean || ended !== "stop") wrong.push(`${question} → ${text} (${ended})`);
  }
  // The list itself is compared, so that a failure shows the answers.
  expect(wrong.slice(EXAM.length - PASS)).toEqual([]);
});

it("says what it is when asked", async () => {
  expect((await ask("What are you?")).text).toMatch(/small|demo|proof/i);
});
