import type { DatabaseSync, StatementSync } from "node:sqlite";
import { present } from "../core/index.ts";
import type { Retention } from "./retention.ts";
import { COARSE, FINE, SampleSeries } from "./sample-series.ts";
import { SampleTally } from "./sample-tally.ts";
import type { SampleRow } from "./sample-tally.ts";
import type { CardPoint, HostPoint, SampledCard, SampledReading } from "./sampled.ts";

/** Batches of ten seconds that wait for a database which cannot be written: the oldest are lost beyond. */
const HELD_BATCHES = 360;
/** Points of one answer at most. */
const MOST_POINTS = 2000;
/** Cards of one batch at most: identities come from a driver. */
const MOST_SUBJECTS = 256;
const HOST = "host";
/** Five minutes in an hour. */
const HOURLY = 12;

/** Those of whom nothing is kept any more; each is looked up by the tables' own keys. */
const FORGET_SUBJECTS = `DELETE FROM sample_subjects WHERE ${["card_samples", "host_samples"]
  .flatMap((table) =>
    [FINE, COARSE].map(
      (step) => `(SELECT 1 FROM ${table} WHERE step = ${step} AND subject = sample_subjects.id)`,
    ),
  )
  .map((found) => `NOT EXISTS ${found}`)
  .join(" AND ")}`;

interface Batch {
  readonly time: number;
  readonly host: SampleTally;
  readonly cards: Map<string, SampleTally>;
}

/** The history of cards and machine. */
export interface SampleHistory {
  /** Takes a reading in. Throws nothing and waits for nothing: every ten seconds what came together is written at once. */
  record(reading: SampledReading): void;
  /**
   * A card from `from` to `to`, milliseconds since the epoch, in steps of at least `step` ms: ten seconds for the last
   * day, five minutes for the last thirty. Oldest first, at most 2000 points; steps grow where there would be more.
   */
  history(uuid: string, from: number, to: number, step: number): readonly CardPoint[];
  hostHistory(from: number, to: number, step: number): readonly HostPoint[];
}

/** The history over SQLite. `onWrite` is called whenever the database could be written. */
export class SampleTable implements SampleHistory {
  readonly #database: DatabaseSync;
  readonly #keep: Retention["samples"];
  readonly #onWrite: () => void;
  readonly #cards: SampleSeries;
  readonly #host: SampleSeries;
  #batch: Batch | undefined;
  #held: Batch[] = [];
  #tidiedAt = 0;
  #tidied = 0;
  readonly #subjects: StatementSync;
  readonly #findSubject: StatementSync;
  readonly #insertSubject: StatementSync;

  /** The connection must not wait for locks: what cannot be written now is held and written later. */
  constructor(database: DatabaseSync, keep: Retention["samples"], onWrite: () => void = () => {}) {
    this.#database = database;
    this.#keep = keep;
    this.#onWrite = onWrite;
    this.#subjects = database.prepare("SELECT id, name FROM sample_subjects");
    this.#findSubject = database.prepare("SELECT id FROM sample_subjects WHERE name = ?");
    this.#insertSubject = database.prepare(
      "INSERT INTO sample_subjects (name) VALUES (?) ON CONFLICT DO NOTHING",
    );
    this.#cards = new SampleSeries(database, {
      table: "card_samples",
      marks: ["lost", "throttled"],
      figures: ["memory_used", "utilization", "temperature", "power"],
    });
    this.#host = new SampleSeries(database, {
      table: "host_samples",
      marks: [],
      figures: [
        "memory_available",
        "swap_used",
        "cpu_pressure",
        "memory_pressure",
        "io_pressure",
        "disk_free",
      ],
    });
  }

  record(reading: SampledReading): void {
    const time = Math.floor(reading.time / FINE) * FINE;
    if (this.#batch !== undefined && this.#batch.time !== time) this.flush();
    const batch = (this.#batch ??= { time, host: new SampleTally(), cards: new Map() });
    addHost(batch.host, reading.host);
    for (const card of reading.cards) {
      const tally = batch.cards.get(card.uuid) ?? new SampleTally();
      if (batch.cards.size >= MOST_SUBJECTS && !batch.cards.has(card.uuid)) continue;
      batch.cards.set(card.uuid, tally);
      addCard(tally, card);
    }
  }

  /** Writes what came together so far, and what was held. */
  flush(): void {
    if (this.#batch !== undefined) this.#held.push(this.#batch);
    this.#batch = undefined;
    const last = this.#held.at(-1);
    if (last === undefined) return;
    try {
      this.#write(last.time + FINE);
      this.#held = [];
    } catch {
      this.#held = this.#held.slice(-HELD_BATCHES);
      return;
    }
    this.#onWrite();
  }

  history(uuid: string, from: number, to: number, step: number): readonly CardPoint[] {
    const rows = this.#read(this.#cards, uuid, from, to, step, (batch) => batch.cards.get(uuid));
    return rows.map(({ time, n, marks, figures }) => ({
      time,
      looks: n,
      lost: marks["lost"] ?? 0,
      throttled: marks["throttled"] ?? 0,
      ...present({
        memoryUsed: figures["memory_used"],
        utilization: figures["utilization"],
        temperature: figures["temperature"],
        power: figures["power"],
      }),
    }));
  }

  hostHistory(from: number, to: number, step: number): readonly HostPoint[] {
    const rows = this.#read(this.#host, HOST, from, to, step, (batch) => batch.host);
    return rows.map(({ time, n, figures }) => ({
      time,
      looks: n,
      ...present({
        memoryAvailable: figures["memory_available"],
        swapUsed: figures["swap_used"],
        cpuPressure: figures["cpu_pressure"],
        memoryPressure: figures["memory_pressure"],
        ioPressure: figures["io_pressure"],
        diskFree: figures["disk_free"],
      }),
    }));
  }

  #write(now: number): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      for (const { time, host, cards } of this.#held) {
        this.#host.write(this.#idOf(HOST), host.row(HOST, time));
        for (const [uuid, tally] of cards) this.#cards.write(this.#idOf(uuid), tally.row(uuid, time));
      }
      if (Math.abs(now - this.#tidiedAt) >= COARSE) this.#tidy(now);
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  /** Puts together and deletes, a subject at a time: indexed and quick. What reads whole tables comes once an hour. */
  #tidy(now: number): void {
    for (const row of this.#subjects.all()) {
      const id = Number(row["id"]);
      const series = row["name"] === HOST ? this.#host : this.#cards;
      series.rollUp(id, now);
      series.prune(id, now, this.#keep);
    }
    if (this.#tidied++ % HOURLY === 0) {
      for (const series of [this.#cards, this.#host]) series.limit(this.#keep.rows);
      this.#database.exec(FORGET_SUBJECTS);
    }
    this.#tidiedAt = Math.floor(now / COARSE) * COARSE;
  }

  #idOf(name: string): number {
    this.#insertSubject.run(name);
    return Number(this.#findSubject.get(name)?.["id"]);
  }

  #read(
    series: SampleSeries,
    subject: string,
    from: number,
    to: number,
    wish: number,
    tally: (batch: Batch) => SampleTally | undefined,
  ): SampleRow[] {
    const least = Math.max(FINE, wish, (to - from) / MOST_POINTS);
    const step = Math.ceil(least / FINE) * FINE;
    const written = readable(() => {
      const id = this.#findSubject.get(subject)?.["id"];
      return typeof id === "number" ? series.history({ id, name: subject }, from, to, step, MOST_POINTS) : [];
    });
    const pending = [...this.#held, ...(this.#batch === undefined ? [] : [this.#batch])]
      .filter(({ time }) => time >= from && time < to)
      .flatMap((batch) => tally(batch)?.row(subject, Math.floor(batch.time / step) * step) ?? []);
    return pending.reduce(joined, written).slice(-MOST_POINTS);
  }
}

/** What is not written yet goes to the step it belongs to. */
function joined(rows: SampleRow[], row: SampleRow): SampleRow[] {
  const last = rows.at(-1);
  if (last === undefined || last.time !== row.time) return [...rows, row];
  const figures = { ...last.figures };
  for (const [name, figure] of Object.entries(row.figures)) {
    const before = figures[name];
    figures[name] =
      before === undefined
        ? figure
        : {
            average: (before.average * last.n + figure.average * row.n) / (last.n + row.n),
            min: Math.min(before.min, figure.min),
            max: Math.max(before.max, figure.max),
          };
  }
  const marks = { ...last.marks };
  for (const [name, count] of Object.entries(row.marks)) marks[name] = (marks[name] ?? 0) + count;
  return [...rows.slice(0, -1), { ...last, n: last.n + row.n, marks, figures }];
}

/** A database that cannot be read has no history; the node goes on. */
function readable(read: () => SampleRow[]): SampleRow[] {
  try {
    return read();
  } catch {
    return [];
  }
}

function addCard(tally: SampleTally, card: SampledCard): void {
  const isOfNow = card.lost === undefined && card.asOf === undefined;
  const { memoryUsed, utilization, temperature, power, throttled = [] } = card;
  tally.add(
    { lost: card.lost !== undefined, throttled: isOfNow && throttled.length > 0 },
    isOfNow ? { memory_used: memoryUsed, utilization, temperature, power } : undefined,
  );
}

function addHost(tally: SampleTally, host: SampledReading["host"]): void {
  const free = host.disks.map((disk) => disk.free);
  tally.add(
    {},
    {
      memory_available: host.memoryAvailable,
      swap_used: host.swapUsed,
      cpu_pressure: host.pressure?.cpu?.some,
      memory_pressure: host.pressure?.memory?.some,
      io_pressure: host.pressure?.io?.some,
      disk_free: free.length === 0 ? undefined : Math.min(...free),
    },
  );
}
