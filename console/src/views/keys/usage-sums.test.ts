import { expect, it } from "vitest";
import type { UsageRow } from "./key-types.ts";
import { tokensOf, usageBy, usageByDay, usageOfAll } from "./usage-sums.ts";

const row = (day: string, key: string, tokens: number): UsageRow => ({
  day,
  key,
  model: "big",
  service: "oracle",
  requests: 1,
  promptTokens: tokens,
  completionTokens: 1,
  cachedTokens: 0,
});
const rows = [
  row("2026-11-20", "laptop", 10),
  row("2026-11-22", "phone", 30),
  row("2026-11-22", "laptop", 5),
];

it("adds up by key, who used most first", () => {
  expect(usageBy(rows, "key").map((sum) => [sum.name, sum.requests, tokensOf(sum)])).toEqual([
    ["phone", 1, 31],
    ["laptop", 2, 17],
  ]);
});

it("has a sum for every day, the oldest first", () => {
  const days = usageByDay(rows, 3, Date.UTC(2026, 10, 22, 23, 59));
  expect(days.map((sum) => [sum.name, tokensOf(sum)])).toEqual([
    ["2026-11-20", 11],
    ["2026-11-21", 0],
    ["2026-11-22", 37],
  ]);
});

it("adds up everything, nothing too", () => {
  expect(usageOfAll(rows)).toMatchObject({ requests: 3, promptTokens: 45, completionTokens: 3 });
  expect(usageOfAll([])).toMatchObject({ requests: 0, promptTokens: 0 });
});
