import type { Answer } from "../../../../src/api/contract/index.ts";
import type { RequestRow } from "../../live/live-state.ts";
import { quantile, speedOf } from "./recent-speed.ts";

type History = Answer<"GET /api/history/services/{name}">;
export type SpeedPoint = History["points"][number];

/** Outcomes of which a service is not the cause. */
const NOT_ITS_FAULT: ReadonlySet<string> = new Set(["answered", "abandoned", "refused"]);

/** History as it was asked for, and behind it the same of the requests that the stream told since. */
export function speedPoints(
  { step, points }: History,
  requests: readonly RequestRow[],
  service: string,
): readonly SpeedPoint[] {
  const last = points.at(-1);
  const known = last === undefined ? 0 : last.time + step;
  const fresh = Map.groupBy(
    requests.filter((row) => row.service === service && row.started >= known),
    ({ started }) => Math.floor(started / step) * step,
  );
  const added = [...fresh].map(([time, rows]) => pointOf(time, rows)).toSorted((a, b) => a.time - b.time);
  return [...points, ...added];
}

function pointOf(time: number, rows: readonly RequestRow[]): SpeedPoint {
  const first = rows.flatMap(({ firstToken }) => firstToken ?? []);
  const [p50, p95] = [quantile(first, 0.5), quantile(first, 0.95)];
  const { tokensPerSecond } = speedOf(rows);
  return {
    time,
    requests: rows.length,
    failed: rows.filter(({ outcome }) => !NOT_ITS_FAULT.has(outcome)).length,
    completionTokens: rows.reduce((sum, row) => sum + (row.completionTokens ?? 0), 0),
    ...(p50 === undefined || p95 === undefined ? {} : { ttft: { p50, p95 } }),
    ...(tokensPerSecond === undefined ? {} : { tokensPerSecond }),
  };
}
