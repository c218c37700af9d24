import type { UsageRow } from "./key-types.ts";

/** Requests and tokens of something, added up. */
export interface UsageSum {
  readonly name: string;
  readonly requests: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cachedTokens: number;
}

const NOTHING = { requests: 0, promptTokens: 0, completionTokens: 0, cachedTokens: 0 };

/** Sums by what `nameOf` gives, in the order in which the names come first. */
function sums(rows: readonly UsageRow[], nameOf: (row: UsageRow) => string): readonly UsageSum[] {
  const found = new Map<string, UsageSum>();
  for (const row of rows) {
    const name = nameOf(row);
    const sum = found.get(name) ?? { name, ...NOTHING };
    found.set(name, {
      name,
      requests: sum.requests + row.requests,
      promptTokens: sum.promptTokens + row.promptTokens,
      completionTokens: sum.completionTokens + row.completionTokens,
      cachedTokens: sum.cachedTokens + row.cachedTokens,
    });
  }
  return [...found.values()];
}

export const tokensOf = ({ promptTokens, completionTokens }: UsageSum): number =>
  promptTokens + completionTokens;

/** What was used by each key, model or service; who used most comes first. */
export const usageBy = (
  rows: readonly UsageRow[],
  member: "key" | "model" | "service",
): readonly UsageSum[] =>
  sums(rows, (row) => row[member]).toSorted((a, b) => tokensOf(b) - tokensOf(a) || b.requests - a.requests);

/** Everything together. */
export const usageOfAll = (rows: readonly UsageRow[]): UsageSum =>
  sums(rows, () => "all")[0] ?? { name: "all", ...NOTHING };

const DAY = 86_400_000;

/** A sum for each of the last `days` days in UTC, the oldest first, those without any use too. */
export function usageByDay(rows: readonly UsageRow[], days: number, now: number): readonly UsageSum[] {
  const used = new Map(sums(rows, ({ day }) => day).map((sum) => [sum.name, sum]));
  return Array.from({ length: days }, (_, index) => {
    const name = new Date(now - (days - 1 - index) * DAY).toISOString().slice(0, 10);
    return used.get(name) ?? { name, ...NOTHING };
  });
}
