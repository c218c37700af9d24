import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { EventLog, NewEvent, NodeEvent } from "../core/index.ts";
import { EVENT_COLUMNS, fromRow, toRow } from "./event-row.ts";
import type { Retention } from "./retention.ts";

/** Events between two prunings; the table may exceed its bound by as many. */
const PRUNE_EVERY = 256;
/** Events kept in memory while the database cannot be written; the oldest are lost beyond. */
const HELD_LIMIT = 1000;

/**
 * The event log over SQLite. `record` never throws for the disk's sake: what cannot be written, because the disk is
 * full, is held in memory, shown to readers in this process, and written with the next event.
 */
export class EventTable implements EventLog {
  readonly #database: DatabaseSync;
  readonly #retention: Pick<Retention, "events" | "age">;
  readonly #insert: StatementSync;
  readonly #after: StatementSync;
  readonly #latest: StatementSync;
  readonly #listeners = new Set<(event: NodeEvent) => void>();
  #held: NodeEvent[] = [];
  #next: number;
  #sincePruned = 0;

  /** `firstSeq` is the number of the first event of an empty table that never held one. */
  constructor(database: DatabaseSync, retention: Pick<Retention, "events" | "age">, firstSeq: number) {
    this.#database = database;
    this.#retention = retention;
    this.#insert = database.prepare(`INSERT INTO events (${EVENT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`);
    this.#after = database.prepare(`SELECT ${EVENT_COLUMNS} FROM events WHERE seq > ? ORDER BY seq LIMIT ?`);
    this.#latest = database.prepare(`SELECT ${EVENT_COLUMNS} FROM events ORDER BY seq DESC LIMIT ?`);
    this.#next = Math.max(firstSeq, this.#lastSeq() + 1);
    this.prune(Date.now());
  }

  record(event: NewEvent): NodeEvent {
    const recorded: NodeEvent = { ...event, seq: this.#next++, time: Date.now() };
    this.#held.push(recorded);
    this.#writeHeld();
    for (const listener of this.#listeners) tell(listener, recorded);
    return recorded;
  }

  after(seq: number, limit: number): readonly NodeEvent[] {
    const written = this.#after.all(seq, limit).map(fromRow);
    return [...written, ...this.#held.filter((event) => event.seq > seq)].slice(0, limit);
  }

  latest(limit: number): readonly NodeEvent[] {
    const written = this.#latest.all(limit).map(fromRow).toReversed();
    return limit <= 0 ? [] : [...written, ...this.#held].slice(-limit);
  }

  subscribe(listener: (event: NodeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Deletes what is older or more than the retention allows. `now` in milliseconds since the epoch. */
  prune(now: number): void {
    this.#sincePruned = 0;
    const { events, age } = this.#retention;
    // The newest event always stays: its number is what the next one is counted from.
    const last = this.#lastSeq();
    this.#database
      .prepare("DELETE FROM events WHERE seq < ? AND (seq <= ? OR time < ?)")
      .run(last, last - events, now - age);
  }

  #lastSeq(): number {
    return Number(this.#database.prepare("SELECT max(seq) AS seq FROM events").get()?.["seq"] ?? 0);
  }

  #writeHeld(): void {
    try {
      if (this.#held.length === 1) for (const event of this.#held) this.#insert.run(...toRow(event));
      else this.#writeTogether(this.#held);
      this.#sincePruned += this.#held.length;
      this.#held = [];
      if (this.#sincePruned >= PRUNE_EVERY) this.prune(Date.now());
    } catch {
      this.#held = this.#held.slice(-HELD_LIMIT);
    }
  }

  #writeTogether(events: readonly NodeEvent[]): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      for (const event of events) this.#insert.run(...toRow(event));
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}

/** A listener that fails is a defect of the listener; neither the log nor the other listeners pay for it. */
function tell(listener: (event: NodeEvent) => void, event: NodeEvent): void {
  try {
    listener(event);
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error));
  }
}
