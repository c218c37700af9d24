import type { DatabaseSync, StatementSync } from "node:sqlite";
import { present } from "../core/index.ts";

/** How a service answered from `from` to before `to`, milliseconds since the epoch, in steps of `step` milliseconds. */
export interface HistoryQuery {
  readonly service: string;
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

/** One step: counts of it, and what its newest requests took. Times are milliseconds. */
export interface ServicePoint {
  /** When it begins, since the epoch. */
  readonly time: number;
  readonly requests: number;
  /** Of these, how many the service failed. */
  readonly failed: number;
  /** To the first token: the median and the 95th of 100. */
  readonly ttft?: { readonly p50: number; readonly p95: number };
  /** Tokens a second of one streamed answer after its first token, the median. */
  readonly tokensPerSecond?: number;
  readonly completionTokens: number;
}

/** How a service answered: the steps in which it was asked, oldest first. */
export interface ServiceHistory {
  /** Milliseconds of one step: as they were wanted, or longer where there would be too many. */
  readonly step: number;
  readonly points: readonly ServicePoint[];
}

/** Points of one answer at most. */
const MOST_POINTS = 1000;
/** Of each step the newest so many requests are put in order for its shares of a hundred. */
const MOST_RANKED = 200;

const STEPS = `SELECT time / CAST(?1 AS INTEGER) * CAST(?1 AS INTEGER) AS slot, * FROM requests
  WHERE service = ?2 AND time >= ?3 AND time < ?4`;

const FAILED = "outcome IN ('failed', 'cut') OR (outcome = 'answered' AND status >= 500)";

/** What a streamed answer came at, where it is long enough to tell. */
const SPEED = `CASE WHEN stream = 1 AND completion_tokens > 1 AND duration - first_token >= 1
  THEN (completion_tokens - 1) * 1000.0 / (duration - first_token) END`;

/** Of a figure in each step the value that so many of a hundred do not exceed, by the nearest rank. */
const ranked = (figure: string): string => `
  WITH steps AS (${STEPS}),
    told AS (SELECT slot, time, ${figure} AS figure FROM steps WHERE figure IS NOT NULL),
    newest AS (SELECT slot, figure, row_number() OVER (PARTITION BY slot ORDER BY time DESC) AS age FROM told),
    placed AS (
      SELECT slot, figure, row_number() OVER (PARTITION BY slot ORDER BY figure) AS place, count(*) OVER (PARTITION BY slot) AS n
      FROM newest WHERE age <= ${MOST_RANKED}
    )
  SELECT slot, min(CASE WHEN place * 2 >= n THEN figure END) AS p50, min(CASE WHEN place * 100 >= n * 95 THEN figure END) AS p95
  FROM placed GROUP BY slot`;

type Row = Readonly<Record<string, unknown>>;

/** How services answered, from the rows of their requests, which are found by service and time. */
export class RequestHistory {
  readonly #counts: StatementSync;
  readonly #ttft: StatementSync;
  readonly #speed: StatementSync;

  constructor(database: DatabaseSync) {
    this.#counts = database.prepare(
      `SELECT slot, count(*) AS requests, sum(${FAILED}) AS failed, total(completion_tokens) AS tokens
       FROM (${STEPS}) GROUP BY slot ORDER BY slot`,
    );
    this.#ttft = database.prepare(ranked("first_token"));
    this.#speed = database.prepare(ranked(SPEED));
  }

  /** Throws SQLite's error. */
  of({ service, from, to, step: wanted }: HistoryQuery): ServiceHistory {
    const step = Math.max(1, Math.ceil(wanted), Math.ceil((to - from) / MOST_POINTS));
    const asked = [step, service, from, to] as const;
    const ttft = bySlot(this.#ttft.all(...asked));
    const speed = bySlot(this.#speed.all(...asked));
    const points = this.#counts.all(...asked).map((row) => {
      const slot = Number(row["slot"]);
      return {
        time: slot,
        requests: Number(row["requests"]),
        failed: Number(row["failed"]),
        ...present({ ttft: ttft.get(slot), tokensPerSecond: speed.get(slot)?.p50 }),
        completionTokens: Number(row["tokens"]),
      };
    });
    return { step, points };
  }
}

const bySlot = (rows: readonly Row[]): ReadonlyMap<number, { readonly p50: number; readonly p95: number }> =>
  new Map(rows.map((row) => [Number(row["slot"]), { p50: Number(row["p50"]), p95: Number(row["p95"]) }]));
