import { expect, test } from "vitest";
import { compareNumbers } from "../../src/acceptance/compare.ts";
import { levelOf } from "../../src/acceptance/concurrency.ts";
import { eventData } from "../../src/acceptance/event-data.ts";
import { generationNumbers, promptNumbers } from "../../src/acceptance/measure-text.ts";
import { promptOf, wordsFor } from "../../src/acceptance/prompt.ts";
import type { RouteNumbers } from "../../src/acceptance/route-numbers.ts";
import { quantile, spreadOf } from "../../src/acceptance/statistics.ts";
import { gapsOf, generationSpeed, timedAnswer } from "../../src/acceptance/timed-answer.ts";
import type { TimedAnswer } from "../../src/acceptance/timed-answer.ts";

const said = (content: string): string => JSON.stringify({ choices: [{ index: 0, delta: { content } }] });
const ROLE = JSON.stringify({ choices: [{ index: 0, delta: { role: "assistant", content: "" } }] });
const STOP = JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: "length" }] });
const usage = (prompt: number, completion: number, cached = 0): string =>
  JSON.stringify({
    choices: [],
    usage: {
      prompt_tokens: prompt,
      completion_tokens: completion,
      prompt_tokens_details: { cached_tokens: cached },
    },
  });

/** Reads a stream in which each event comes at its own time, by a clock that shows that time. */
async function read(events: readonly (readonly [at: number, data: string])[]): Promise<TimedAnswer> {
  let time = 1000;
  async function* stream(): AsyncGenerator<string> {
    for (const [at, data] of events) {
      time = 1000 + at;
      yield await Promise.resolve(data);
    }
  }
  return timedAnswer(stream(), () => time, 1000);
}

/** 50 tokens a second after 200 ms, one token an event. */
const steady = (tokens = 5): readonly (readonly [number, string])[] => [
  [180, ROLE],
  ...Array.from({ length: tokens }, (_, index): readonly [number, string] => [200 + index * 20, said("w ")]),
  [200 + tokens * 20, STOP],
  [200 + tokens * 20, usage(120, tokens)],
  [200 + tokens * 20, "[DONE]"],
];

test("a token in every event: the first is the first that says something, the speed is that of the rest", async () => {
  const answer = await read(steady());
  expect(answer).toMatchObject({ firstToken: 200, promptTokens: 120, completionTokens: 5, finish: "length" });
  expect(answer.text).toBe("w w w w w ");
  expect(generationSpeed(answer)).toBeCloseTo(50, 9);
  expect(gapsOf(answer)).toEqual([20, 20, 20, 20]);
});

test("four tokens an event: the engine's count counts, not the events", async () => {
  const answer = await read([
    ...[100, 180, 260].map((at): [number, string] => [at, said("four tokens in one")]),
    [260, STOP],
    [260, usage(10, 12)],
    [260, "[DONE]"],
  ]);
  expect(generationSpeed(answer)).toBeCloseTo(50, 9);
  expect(gapsOf(answer)).toEqual([20, 20]);
  expect(generationNumbers([answer])?.tokensPerEvent).toBe(4);
});

test("without usage there are times and no speeds", async () => {
  const answer = await read([
    [50, said("a")],
    [70, said("b")],
    [90, STOP],
    [90, "[DONE]"],
  ]);
  expect(generationSpeed(answer)).toBeUndefined();
  expect(promptNumbers({ aimed: 100 }, [answer])).toEqual({
    aimed: 100,
    ttft: { median: 50, low: 50, high: 50, of: 1 },
  });
  expect(levelOf([answer], 100)).toEqual({ answered: 1, ttft: { p50: 50, p95: 50 } });
});

test("reasoning, tools and text of completions are tokens too, and an engine's own timings are kept", async () => {
  const answer = await read([
    [10, JSON.stringify({ choices: [{ delta: { reasoning_content: "hm" } }] })],
    [20, JSON.stringify({ choices: [{ delta: { tool_calls: [{ index: 0 }] } }] })],
    [30, JSON.stringify({ choices: [{ text: "so", finish_reason: "stop" }] })],
    [
      40,
      JSON.stringify({
        choices: [],
        usage: { prompt_tokens: 100, completion_tokens: 3 },
        timings: { prompt_per_second: 172.5, predicted_per_second: 16.39, cache_n: 20 },
      }),
    ],
  ]);
  expect(answer.arrivals).toEqual([10, 20, 30]);
  expect(answer).toMatchObject({
    cachedTokens: 20,
    engine: { prompt: 172.5, generation: 16.39 },
    text: "so",
  });
  // 80 of 100 tokens were computed, in 10 ms.
  expect(promptNumbers({ aimed: 100 }, [answer])?.speed?.median).toBe(8000);
});

test.each([
  ["an end in the middle", [[10, said("a")]], "acceptance.cut"],
  [
    "an error event",
    [
      [10, said("a")],
      [20, '{"error":{"message":"gone"}}'],
    ],
    "acceptance.cut",
  ],
  ["no JSON", [[10, "<html>"]], "acceptance.bad-answer"],
  ["another shape", [[10, '{"choices":7}']], "acceptance.bad-answer"],
] as const)("%s is no answer", async (_, events, code) => {
  await expect(read(events)).rejects.toMatchObject({ code });
});

test("a reason to end is enough where the last mark is missing", async () => {
  await expect(
    read([
      [10, said("a")],
      [20, STOP],
    ]),
  ).resolves.toMatchObject({ finish: "length", arrivals: [10] });
});

test("events are found however they are cut, by any line end, with comments between", async () => {
  const text = 'data: {"a":"ü😀"}\r\n\r\n: waiting\n\nevent: x\ndata:one\ndata: two\n\ndata: [DONE]\n\n';
  const bytes = Buffer.from(text);
  for (const size of [1, 2, 3, 7, bytes.length]) {
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < bytes.length; at += size)
        yield await Promise.resolve(bytes.subarray(at, at + size));
    }
    const events: string[] = [];
    for await (const data of eventData(pieces())) events.push(data);
    expect(events, `pieces of ${size}`).toEqual(['{"a":"ü😀"}', "one\ntwo", "[DONE]"]);
  }
});

test("a level's speed is all its tokens by all its time", async () => {
  const answers = [await read(steady(10)), await read(steady(10)), await read(steady(30))];
  expect(levelOf(answers, 1000)).toMatchObject({
    answered: 3,
    total: 50,
    perStream: { of: 3 },
    ttft: { p50: 200, p95: 200 },
  });
  expect(levelOf([], 1000)).toEqual({ answered: 0 });
});

test("quantiles lie between the nearest values; of nothing there is none", () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([10], 0.95)).toBe(10);
  expect(quantile([], 0.5)).toBeUndefined();
  expect(spreadOf([3, 1, 2])).toEqual({ median: 2, low: 1, high: 3, of: 3 });
});

test("prompts differ from their first character on, and words follow tokens", () => {
  expect(promptOf("a1", 1, 5)).not.toBe(promptOf("b2", 1, 5));
  expect(promptOf("a1", 1, 5)).toBe(promptOf("a1", 1, 5));
  expect(wordsFor(1040, { words: 200, tokens: 240 })).toBe(1000);
  expect(wordsFor(10, { words: 200, tokens: 240 })).toBe(1);
});

const numbers = (speed: readonly number[], more: Partial<RouteNumbers> = {}): RouteNumbers => ({
  task: "text",
  prompts: [],
  sweep: [],
  long: [],
  notes: [],
  generation: {
    speed: spreadOf(speed) ?? { median: 0, low: 0, high: 0, of: 0 },
    ttft: { p50: 100, p95: 120 },
  },
  ...more,
});

test("a change counts as one where the two ranges do not touch, and as unknown for single values", () => {
  const [speed, ttft] = compareNumbers(numbers([10, 11, 12]), numbers([13, 14, 15]));
  expect(speed).toMatchObject({ name: "generation tok/s", before: 11, now: 14, beyondSpread: true });
  expect(speed?.percent).toBeCloseTo(27.27, 2);
  expect(ttft).toEqual({ name: "TTFT ms", before: 100, now: 100, percent: 0, lowerIsBetter: true });
  expect(compareNumbers(numbers([10, 11, 12]), numbers([11, 12, 13]))[0]?.beyondSpread).toBe(false);
  expect(compareNumbers(numbers([10]), numbers([20]))[0]).not.toHaveProperty("beyondSpread");
  expect(compareNumbers({ task: "text", prompts: [], sweep: [], long: [], notes: [] }, numbers([1]))).toEqual(
    [],
  );
});
