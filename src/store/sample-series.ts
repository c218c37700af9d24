import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Figure, SampleRow } from "./sample-tally.ts";

/** A table of samples: its name, what it counts and what it averages. */
export interface SeriesShape {
  readonly table: "card_samples" | "host_samples";
  readonly marks: readonly string[];
  readonly figures: readonly string[];
}

/** Milliseconds that a row of either kind stands for. */
export const FINE = 10_000;
export const COARSE = 300_000;

const DAY = 86_400_000;

/** The beginning of the five minutes that a moment lies in. */
const alignedTo = (time: number): number => Math.floor(time / COARSE) * COARSE;

/** Of whom samples are. */
export interface SeriesSubject {
  readonly id: number;
  readonly name: string;
}

/** Averages weigh by looks; where a figure was told at some looks only, its average still weighs by all of them. */
const weighed = (figure: string): string =>
  `sum(${figure}_avg * n) / nullif(sum(CASE WHEN ${figure}_avg IS NULL THEN 0 ELSE n END), 0)`;

/** The SQL of one table of samples. Nothing here begins or ends a transaction. */
export class SampleSeries {
  readonly #database: DatabaseSync;
  readonly #shape: SeriesShape;
  readonly #insert: StatementSync;
  readonly #rollUp: StatementSync;
  readonly #history: StatementSync;
  readonly #oldestFine: StatementSync;
  readonly #newestCoarse: StatementSync;
  readonly #deleteOld: StatementSync;
  readonly #deleteFuture: StatementSync;

  constructor(database: DatabaseSync, shape: SeriesShape) {
    const { table, marks, figures } = shape;
    this.#database = database;
    this.#shape = shape;
    const values = figures.flatMap((name) => [`${name}_avg`, `${name}_min`, `${name}_max`]);
    const columns = ["step", "subject", "time", "n", ...marks, ...values];
    const merged = [
      ...marks.map((name) => `${name} = ${name} + excluded.${name}`),
      ...figures.flatMap((name) => [
        `${name}_avg = CASE WHEN excluded.${name}_avg IS NULL THEN ${name}_avg WHEN ${name}_avg IS NULL THEN excluded.${name}_avg ` +
          `ELSE (${name}_avg * n + excluded.${name}_avg * excluded.n) / max(n + excluded.n, 1) END`,
        `${name}_min = min(ifnull(${name}_min, excluded.${name}_min), ifnull(excluded.${name}_min, ${name}_min))`,
        `${name}_max = max(ifnull(${name}_max, excluded.${name}_max), ifnull(excluded.${name}_max, ${name}_max))`,
      ]),
      "n = n + excluded.n",
    ];
    // The same step comes twice when a node starts again within it, or the clock was set back.
    this.#insert = database.prepare(
      `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")}) ` +
        `ON CONFLICT DO UPDATE SET ${merged.join(", ")}`,
    );
    const sums = [
      "sum(n) AS n",
      ...marks.map((name) => `sum(${name}) AS ${name}`),
      ...figures.flatMap((name) => [
        `${weighed(name)} AS ${name}_avg`,
        `min(${name}_min) AS ${name}_min`,
        `max(${name}_max) AS ${name}_max`,
      ]),
    ].join(", ");
    this.#rollUp = database.prepare(
      `INSERT OR REPLACE INTO ${table} (${columns.join(", ")}) SELECT ${COARSE}, subject, time / ${COARSE} * ${COARSE} AS slot, ${sums} ` +
        `FROM ${table} WHERE step = ${FINE} AND subject = ? AND time >= ? AND time < ? GROUP BY slot`,
    );
    // The driver of the database binds every number as a real one, which would not divide to a whole.
    this.#history = database.prepare(
      `SELECT time / CAST(? AS INTEGER) * CAST(? AS INTEGER) AS slot, ${sums} FROM ${table} WHERE subject = ? AND time >= ? AND time < ? AND ` +
        `((step = ${COARSE} AND time < ?) OR (step = ${FINE} AND time >= ?)) GROUP BY slot ORDER BY slot LIMIT ?`,
    );
    this.#oldestFine = database.prepare(
      `SELECT min(time) AS time FROM ${table} WHERE step = ${FINE} AND subject = ?`,
    );
    this.#newestCoarse = database.prepare(
      `SELECT max(time) AS time FROM ${table} WHERE step = ${COARSE} AND subject = ? AND time <= ?`,
    );
    // Two statements: with OR, the index would not be used.
    this.#deleteOld = database.prepare(`DELETE FROM ${table} WHERE step = ? AND subject = ? AND time < ?`);
    this.#deleteFuture = database.prepare(`DELETE FROM ${table} WHERE step = ? AND subject = ? AND time > ?`);
  }

  write(subject: number, row: SampleRow): void {
    const { marks, figures } = this.#shape;
    this.#insert.run(
      FINE,
      subject,
      row.time,
      row.n,
      ...marks.map((name) => row.marks[name] ?? 0),
      ...figures.flatMap((name) => {
        const figure = row.figures[name];
        return figure === undefined ? [null, null, null] : [figure.average, figure.min, figure.max];
      }),
    );
  }

  /** Makes rows of five minutes of those of ten seconds, for all whole ones before `now` that there are none of yet. */
  rollUp(subject: number, now: number): void {
    this.#rollUp.run(subject, this.#rolledTo(subject, now), alignedTo(now));
  }

  /** Deletes what is too old, or from a future that did not come. Fine rows go by whole steps of the coarse ones. */
  prune(subject: number, now: number, keep: { readonly fine: number; readonly coarse: number }): void {
    for (const [step, oldest] of [
      [FINE, alignedTo(now - keep.fine)],
      [COARSE, now - keep.coarse],
    ] as const) {
      this.#deleteOld.run(step, subject, oldest);
      this.#deleteFuture.run(step, subject, now + DAY);
    }
  }

  /** Deletes the oldest beyond so many rows of either kind, for all subjects together. Counts the whole table. */
  limit(rows: number): void {
    const { table } = this.#shape;
    for (const step of [FINE, COARSE]) {
      const count = this.#database.prepare(`SELECT count(*) AS n FROM ${table} WHERE step = ?`).get(step)?.[
        "n"
      ];
      if (Number(count) <= rows) continue;
      const kept = `SELECT time FROM ${table} WHERE step = ? ORDER BY time DESC LIMIT 1 OFFSET ?`;
      const first = Number(this.#database.prepare(kept).get(step, rows)?.["time"]);
      this.#database
        .prepare(`DELETE FROM ${table} WHERE step = ? AND time < ?`)
        .run(step, alignedTo(first) + COARSE);
    }
  }

  /** A subject's rows from `from` to before `to`, put together to steps of `step` ms, oldest first. */
  history(subject: SeriesSubject, from: number, to: number, step: number, limit: number): SampleRow[] {
    // Fine steps want rows of ten seconds where there still are any, coarse ones where there are not yet others.
    const oldest = this.#oldestFine.get(subject.id)?.["time"];
    const fine = typeof oldest === "number" ? alignedTo(oldest) : Number.MAX_SAFE_INTEGER;
    const boundary = step < COARSE ? fine : Math.max(fine, this.#rolledTo(subject.id, to));
    const rows = this.#history.all(step, step, subject.id, from, to, boundary, boundary, limit);
    return rows.map((row) => this.#asRow(subject.name, row));
  }

  /** Where the next row of five minutes begins. */
  #rolledTo(subject: number, now: number): number {
    const newest = this.#newestCoarse.get(subject, now)?.["time"];
    return typeof newest === "number" ? newest + COARSE : 0;
  }

  #asRow(subject: string, row: Readonly<Record<string, unknown>>): SampleRow {
    const { marks, figures } = this.#shape;
    const number = (column: string): number | undefined => {
      const value = row[column];
      return typeof value === "number" ? value : undefined;
    };
    return {
      subject,
      time: number("slot") ?? 0,
      n: number("n") ?? 0,
      marks: Object.fromEntries(marks.map((name) => [name, number(name) ?? 0])),
      figures: Object.fromEntries(
        figures.flatMap((name): [string, Figure][] => {
          const average = number(`${name}_avg`);
          const min = number(`${name}_min`);
          const max = number(`${name}_max`);
          return average === undefined || min === undefined || max === undefined
            ? []
            : [[name, { average, min, max }]];
        }),
      ),
    };
  }
}
