import type { RequestRow } from "../../live/live-state.ts";

/** What the requests of one key or route come to. */
export interface RequestSum {
  readonly name: string;
  readonly requests: number;
  /** Neither answered nor left by their client. */
  readonly failed: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** Requests put together by key or by route, those with most requests first. */
export function requestSums(rows: readonly RequestRow[], by: "key" | "route"): readonly RequestSum[] {
  const sums = new Map<string, RequestSum>();
  for (const row of rows) {
    const name = row[by] ?? "none";
    const sum = sums.get(name) ?? { name, requests: 0, failed: 0, promptTokens: 0, completionTokens: 0 };
    sums.set(name, {
      name,
      requests: sum.requests + 1,
      failed: sum.failed + (hasFailed(row) ? 1 : 0),
      promptTokens: sum.promptTokens + (row.promptTokens ?? 0),
      completionTokens: sum.completionTokens + (row.completionTokens ?? 0),
    });
  }
  return [...sums.values()].toSorted((a, b) => b.requests - a.requests);
}

/** Whether the client did not get what it asked for, and it was not the client who left. */
export const hasFailed = ({ outcome, status }: Pick<RequestRow, "outcome" | "status">): boolean =>
  outcome === "failed" ||
  outcome === "cut" ||
  outcome === "refused" ||
  (outcome === "answered" && status >= 400);

/** Whether more than one service had to be asked, or another one had to go on with an answer. */
export const wasRescued = ({ attempts, continued }: Pick<RequestRow, "attempts" | "continued">): boolean =>
  attempts > 1 || continued > 0;
