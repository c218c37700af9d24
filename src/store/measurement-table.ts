import type { DatabaseSync, StatementSync } from "node:sqlite";
import { MEASUREMENT_COLUMNS, cardsText, measuredText, measurementOf } from "./measurement.ts";
import type { Measured, Measurement, MeasurementKey, NewMeasurement } from "./measurement.ts";
import type { Retention } from "./retention.ts";

/** Measurements that wait for a database which cannot be written; the oldest are lost beyond. */
const HELD_LIMIT = 200;
/** Load times that an estimate is made of. */
const LOADS = 5;

/** Whose load times are asked for. */
export interface LoadOf {
  readonly service?: string;
  readonly model?: string;
  readonly engine?: string;
  readonly settings?: string;
}

/** What engines really took. Newest first where there are several. */
export interface Measurements {
  /** Keeps a measurement. Throws nothing and waits for nothing. */
  record(measurement: NewMeasurement): Measurement;
  /** Adds what was learned later: tokens a second, the whole of the cache. Does nothing when it is gone. */
  amend(id: number, learned: Partial<Pick<Measured, "tokensPerSecond" | "kvTokens" | "loadTime">>): void;
  latest(key: MeasurementKey): Measurement | undefined;
  all(): readonly Measurement[];
  /**
   * Milliseconds from start to ready that a load is likely to take: the median of the last five of what is named, of the
   * same settings where there are any. `undefined` where nothing was measured.
   */
  loadTimeOf(of: LoadOf): number | undefined;
}

/** Measurements over SQLite, all of them in memory too: there are at most some thousand. */
export class MeasurementTable implements Measurements {
  readonly #database: DatabaseSync;
  readonly #keep: Retention["measurements"];
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  /** By number, oldest first. */
  readonly #known = new Map<number, Measurement>();
  readonly #unwritten = new Set<number>();
  readonly #undeleted = new Set<number>();
  #next: number;

  /** The connection must not wait for locks: what cannot be written now is held and written later. */
  constructor(database: DatabaseSync, keep: Retention["measurements"]) {
    this.#database = database;
    this.#keep = keep;
    this.#put = database.prepare(
      `INSERT OR REPLACE INTO measurements (${MEASUREMENT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#delete = database.prepare("DELETE FROM measurements WHERE id = ?");
    const rows = database.prepare(`SELECT ${MEASUREMENT_COLUMNS} FROM measurements ORDER BY id`).all();
    for (const row of rows) {
      const measurement = measurementOf(row);
      if (measurement !== undefined) this.#known.set(measurement.id, measurement);
    }
    this.#next = Math.max(0, ...rows.map((row) => Number(row["id"]))) + 1;
    this.#bound();
    this.flush();
  }

  record(measurement: NewMeasurement): Measurement {
    const recorded: Measurement = { ...measurement, id: this.#next++, time: Date.now() };
    this.#known.set(recorded.id, recorded);
    this.#unwritten.add(recorded.id);
    this.#bound();
    this.flush();
    return recorded;
  }

  amend(id: number, learned: Partial<Pick<Measured, "tokensPerSecond" | "kvTokens" | "loadTime">>): void {
    const before = this.#known.get(id);
    if (before === undefined) return;
    this.#known.set(id, { ...before, ...learned });
    this.#unwritten.add(id);
    this.flush();
  }

  latest(key: MeasurementKey): Measurement | undefined {
    const wanted = keyText(key);
    return this.all().find((measurement) => keyText(measurement) === wanted);
  }

  all(): readonly Measurement[] {
    return [...this.#known.values()].toReversed();
  }

  loadTimeOf({ settings, ...of }: LoadOf): number | undefined {
    const alike = this.all().filter(
      ({ loadTime, ...measured }) =>
        loadTime !== undefined &&
        (of.service ?? measured.service) === measured.service &&
        (of.model ?? measured.model) === measured.model &&
        (of.engine ?? measured.engine) === measured.engine,
    );
    const same = alike.filter((measured) => measured.settings === settings);
    const times = (same.length > 0 ? same : alike)
      .slice(0, LOADS)
      .map(({ loadTime = 0 }) => loadTime)
      .toSorted((a, b) => a - b);
    return times[Math.floor(times.length / 2)];
  }

  /** Writes what could not be written before. */
  flush(): void {
    if (this.#unwritten.size === 0 && this.#undeleted.size === 0) return;
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      for (const id of this.#unwritten) this.#write(id);
      for (const id of this.#undeleted) this.#delete.run(id);
      this.#database.exec("COMMIT");
      this.#unwritten.clear();
      this.#undeleted.clear();
    } catch {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      for (const id of [...this.#unwritten].slice(0, -HELD_LIMIT)) this.#unwritten.delete(id);
    }
  }

  #write(id: number): void {
    const measurement = this.#known.get(id);
    if (measurement === undefined) return;
    const { time, service, model, engine, version, cards, settings } = measurement;
    const rest = measuredText(measurement);
    this.#put.run(id, time, service, model, engine, version, cardsText(cards), settings, rest);
  }

  /** Keeps the newest of every kind and of all together. */
  #bound(): void {
    const counts = new Map<string, number>();
    let all = 0;
    for (const measurement of this.all()) {
      const key = keyText(measurement);
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      if (count <= this.#keep.perKey && ++all <= this.#keep.all) continue;
      this.#known.delete(measurement.id);
      this.#unwritten.delete(measurement.id);
      this.#undeleted.add(measurement.id);
    }
  }
}

const keyText = ({ model, engine, version, cards, settings }: MeasurementKey): string =>
  JSON.stringify([model, engine, version, cards, settings]);
