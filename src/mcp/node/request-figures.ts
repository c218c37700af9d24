import type { RequestRow } from "../../store/index.ts";

/** Times in milliseconds; p95 is the time that 95 of 100 requests did not exceed. */
export interface Spread {
  readonly p50: number;
  readonly p95: number;
}

/** What was measured of the requests of one route at one service. */
export interface RequestFigures {
  readonly route: string;
  readonly service: string;
  readonly requests: number;
  /** Those that were not answered well, clients that left included. */
  readonly failed: number;
  /** From the last byte of the request to the last of the answer. */
  readonly duration_ms?: Spread;
  /** To the first byte of the content. */
  readonly first_token_ms?: Spread;
  readonly queued_ms?: Spread;
  /** Generated after the first one, of one request: the median. */
  readonly tokens_per_second?: number;
}

/** Figures by route and service, the busiest first. Rows without a service never came to one and are not counted. */
export function requestFigures(rows: readonly RequestRow[]): readonly RequestFigures[] {
  const groups = new Map<string, { route: string; service: string; rows: RequestRow[] }>();
  for (const row of rows) {
    if (row.service === undefined) continue;
    const route = row.route ?? row.service;
    const key = JSON.stringify([route, row.service]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { route, service: row.service, rows: [row] });
    else group.rows.push(row);
  }
  return [...groups.values()]
    .map(({ route, service, rows: all }) => figures(route, service, all))
    .toSorted((a, b) => b.requests - a.requests || (a.route < b.route ? -1 : 1));
}

function figures(route: string, service: string, rows: readonly RequestRow[]): RequestFigures {
  const good = rows.filter((row) => row.status < 400);
  const duration = spread(good.map((row) => row.duration));
  const first = spread(good.flatMap((row) => row.firstToken ?? []));
  const queued = spread(good.map((row) => row.queued));
  const speed = percentile(good.flatMap(speedOf), 0.5);
  return {
    route,
    service,
    requests: rows.length,
    failed: rows.length - good.length,
    ...(duration === undefined ? {} : { duration_ms: duration }),
    ...(first === undefined ? {} : { first_token_ms: first }),
    ...(queued === undefined ? {} : { queued_ms: queued }),
    ...(speed === undefined ? {} : { tokens_per_second: Math.round(speed * 10) / 10 }),
  };
}

/** The first token belongs to the time before it. */
function speedOf({ completionTokens = 0, duration, firstToken }: RequestRow): number[] {
  if (firstToken === undefined) return [];
  const time = duration - firstToken;
  return completionTokens > 1 && time > 0 ? [((completionTokens - 1) * 1000) / time] : [];
}

function spread(values: readonly number[]): Spread | undefined {
  const [p50, p95] = [percentile(values, 0.5), percentile(values, 0.95)];
  return p50 === undefined || p95 === undefined ? undefined : { p50: Math.round(p50), p95: Math.round(p95) };
}

/** The nearest-rank percentile; `undefined` of nothing. */
function percentile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
