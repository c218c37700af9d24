import { mkdirSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { messageOf, OmniError } from "../core/index.ts";
import { migrate } from "./schema.ts";
import { databasePath } from "./state-paths.ts";

/** What a PCI function is bound to and kept for; empty for nothing. */
export interface FunctionState {
  /** `0000:f1:00.0`. */
  readonly address: string;
  readonly driver: string;
  readonly override: string;
}

/** One switch of cards of a host, as it was written down. */
export interface StoredSwitch {
  readonly id: number;
  readonly host: string;
  /** The kernel's boot_id: nothing in sysfs outlives a reboot. */
  readonly boot: string;
  readonly action: string;
  /** Milliseconds since the epoch, as are the other times. */
  readonly begun: number;
  readonly before: readonly FunctionState[];
  /** Absent while it runs, and for ever where it was cut off. */
  readonly ended?: number;
  readonly outcome?: string;
  readonly after?: readonly FunctionState[];
  readonly undone?: number;
}

/** Switches of cards, in the state folder. All of it throws `OmniError` `store.unwritable` where that cannot be used. */
export interface SwitchTable {
  /** Newest first. */
  of(host: string, boot: string): readonly StoredSwitch[];
  /** Writes a switch down before it happens; `undefined` where an earlier one of this boot has not ended. */
  begin(begun: Pick<StoredSwitch, "host" | "boot" | "action" | "before">): number | undefined;
  end(id: number, outcome: string, after: readonly FunctionState[]): void;
  /** Everything that the switch moved is back where it was. */
  undo(id: number): void;
  close(): void;
}

/** Switches that are kept; older ones are forgotten. */
const KEPT = 1000;
/** Milliseconds that a write waits for another process that writes. */
const PATIENCE = 5000;

/**
 * Opens the switches of a state folder, which is made where it is missing. A damaged database is for its owner to set aside:
 * here it is an error. Throws `OmniError` `store.unwritable`.
 */
export function openSwitches(stateFolder: string): SwitchTable {
  const path = databasePath(stateFolder);
  const named = <T>(how: string, act: () => T): T => {
    try {
      return act();
    } catch (error) {
      if (error instanceof OmniError) throw error;
      throw new OmniError(
        "store.unwritable",
        `The record of GPU switches in ${path} cannot be ${how}: ${messageOf(error)}.`,
        { cause: error },
      );
    }
  };
  const database = named("opened", () => {
    mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
    return open(path);
  });
  return {
    of: (host, boot) => named("read", () => select(database, host, boot)),
    begin: (begun) => named("written", () => insert(database, begun)),
    end: (id, outcome, after) =>
      named("written", () => {
        database
          .prepare("UPDATE gpu_switches SET ended = ?, outcome = ?, after = ? WHERE id = ?")
          .run(Date.now(), outcome, JSON.stringify(after), id);
      }),
    undo: (id) =>
      named("written", () => {
        database.prepare("UPDATE gpu_switches SET undone = ? WHERE id = ?").run(Date.now(), id);
      }),
    close: () => database.close(),
  };
}

function open(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: PATIENCE });
  try {
    // FULL: a record that a power cut takes away could restore nothing.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    migrate(database, path);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function select(database: DatabaseSync, host: string, boot: string): StoredSwitch[] {
  const rows = database
    .prepare("SELECT * FROM gpu_switches WHERE host = ? AND boot = ? ORDER BY id DESC")
    .all(host, boot);
  return rows.map((row) => ({
    id: Number(row["id"]),
    host: String(row["host"]),
    boot: String(row["boot"]),
    action: String(row["action"]),
    begun: Number(row["begun"]),
    before: statesOf(row["before"]),
    ...(row["ended"] === null ? {} : { ended: Number(row["ended"]) }),
    ...(row["outcome"] === null ? {} : { outcome: String(row["outcome"]) }),
    ...(row["after"] === null ? {} : { after: statesOf(row["after"]) }),
    ...(row["undone"] === null ? {} : { undone: Number(row["undone"]) }),
  }));
}

/** Looks and writes in one transaction, so that of two switches at once only one begins. */
function insert(
  database: DatabaseSync,
  { host, boot, action, before }: Pick<StoredSwitch, "host" | "boot" | "action" | "before">,
): number | undefined {
  database.exec("BEGIN IMMEDIATE");
  try {
    const open = database
      .prepare(
        "SELECT 1 FROM gpu_switches WHERE host = ? AND boot = ? AND ended IS NULL AND undone IS NULL LIMIT 1",
      )
      .get(host, boot);
    if (open !== undefined && action !== "restore") {
      database.exec("ROLLBACK");
      return undefined;
    }
    const { lastInsertRowid } = database
      .prepare("INSERT INTO gpu_switches (host, boot, action, begun, before) VALUES (?, ?, ?, ?, ?)")
      .run(host, boot, action, Date.now(), JSON.stringify(before));
    database.prepare("DELETE FROM gpu_switches WHERE id <= ?").run(Number(lastInsertRowid) - KEPT);
    database.exec("COMMIT");
    return Number(lastInsertRowid);
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function statesOf(text: unknown): FunctionState[] {
  const parsed: unknown = JSON.parse(String(text));
  return Array.isArray(parsed) ? parsed.flatMap((one) => (isState(one) ? [one] : [])) : [];
}

const isState = (value: unknown): value is FunctionState =>
  typeof value === "object" &&
  value !== null &&
  "address" in value &&
  typeof value.address === "string" &&
  "driver" in value &&
  typeof value.driver === "string" &&
  "override" in value &&
  typeof value.override === "string";
