import type { DatabaseSync } from "node:sqlite";
import { OmniError } from "../core/index.ts";

/** One entry a version, never edited once released: the database carries the number it is at. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE events (
     seq INTEGER PRIMARY KEY,
     time INTEGER NOT NULL,
     severity TEXT NOT NULL,
     kind TEXT NOT NULL,
     service TEXT,
     message TEXT NOT NULL,
     data TEXT
   ) STRICT;`,
  `CREATE TABLE sample_subjects (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
   CREATE TABLE card_samples (
     step INTEGER NOT NULL, subject INTEGER NOT NULL, time INTEGER NOT NULL, n INTEGER NOT NULL,
     lost INTEGER NOT NULL, throttled INTEGER NOT NULL,
     memory_used_avg REAL, memory_used_min REAL, memory_used_max REAL,
     utilization_avg REAL, utilization_min REAL, utilization_max REAL,
     temperature_avg REAL, temperature_min REAL, temperature_max REAL,
     power_avg REAL, power_min REAL, power_max REAL,
     PRIMARY KEY (step, subject, time)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE host_samples (
     step INTEGER NOT NULL, subject INTEGER NOT NULL, time INTEGER NOT NULL, n INTEGER NOT NULL,
     memory_available_avg REAL, memory_available_min REAL, memory_available_max REAL,
     swap_used_avg REAL, swap_used_min REAL, swap_used_max REAL,
     cpu_pressure_avg REAL, cpu_pressure_min REAL, cpu_pressure_max REAL,
     memory_pressure_avg REAL, memory_pressure_min REAL, memory_pressure_max REAL,
     io_pressure_avg REAL, io_pressure_min REAL, io_pressure_max REAL,
     disk_free_avg REAL, disk_free_min REAL, disk_free_max REAL,
     PRIMARY KEY (step, subject, time)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE measurements (
     id INTEGER PRIMARY KEY,
     time INTEGER NOT NULL,
     service TEXT NOT NULL,
     model TEXT NOT NULL,
     engine TEXT NOT NULL,
     version TEXT NOT NULL,
     cards TEXT NOT NULL,
     settings TEXT NOT NULL,
     measured TEXT NOT NULL
   ) STRICT;
   CREATE INDEX measurements_by_key ON measurements (model, engine, version, cards, settings);`,
  `CREATE TABLE responses (
     key TEXT NOT NULL, id TEXT NOT NULL, used INTEGER NOT NULL, previous TEXT,
     input TEXT NOT NULL, answer TEXT NOT NULL, bytes INTEGER NOT NULL,
     UNIQUE (key, id)
   ) STRICT;
   CREATE INDEX responses_by_key ON responses (key, used, bytes);
   CREATE INDEX responses_by_use ON responses (used, bytes);
   CREATE TABLE response_items (
     key TEXT NOT NULL, item TEXT NOT NULL, response TEXT NOT NULL, PRIMARY KEY (key, item)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX response_items_by_response ON response_items (key, response);
   CREATE TRIGGER responses_deleted AFTER DELETE ON responses BEGIN
     DELETE FROM response_items WHERE key = old.key AND response = old.id;
   END;`,
  // The generation grows by triggers, so that no writer of any process can forget to tell the others.
  `CREATE TABLE keys (
     name TEXT PRIMARY KEY,
     digest TEXT NOT NULL UNIQUE,
     prefix TEXT NOT NULL,
     may TEXT NOT NULL,
     created INTEGER NOT NULL,
     expires INTEGER,
     revoked INTEGER,
     rotated INTEGER,
     graced TEXT,
     graced_until INTEGER
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE keys_generation (n INTEGER NOT NULL) STRICT;
   INSERT INTO keys_generation VALUES (0);
   CREATE TRIGGER keys_inserted AFTER INSERT ON keys BEGIN UPDATE keys_generation SET n = n + 1; END;
   CREATE TRIGGER keys_updated AFTER UPDATE ON keys BEGIN UPDATE keys_generation SET n = n + 1; END;
   CREATE TRIGGER keys_deleted AFTER DELETE ON keys BEGIN UPDATE keys_generation SET n = n + 1; END;
   CREATE TABLE key_usage (
     day TEXT NOT NULL,
     key TEXT NOT NULL,
     model TEXT NOT NULL,
     service TEXT NOT NULL,
     requests INTEGER NOT NULL,
     prompt_tokens INTEGER NOT NULL,
     completion_tokens INTEGER NOT NULL,
     cached_tokens INTEGER NOT NULL,
     PRIMARY KEY (day, key, model, service)
   ) STRICT, WITHOUT ROWID;`,
  // Requests one by one, and contents where the owner asked for them. Sizes stand in the index, away from the bytes.
  `CREATE TABLE requests (
     seq INTEGER PRIMARY KEY,
     id TEXT NOT NULL, time INTEGER NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, operation TEXT NOT NULL,
     status INTEGER NOT NULL, outcome TEXT NOT NULL, key TEXT NOT NULL,
     route TEXT, service TEXT, engine TEXT, model TEXT,
     stream INTEGER NOT NULL, attempts INTEGER NOT NULL, continued INTEGER NOT NULL,
     duration REAL NOT NULL, queued REAL NOT NULL, first_token REAL,
     prompt_tokens INTEGER, completion_tokens INTEGER, cached_tokens INTEGER,
     bytes_in INTEGER NOT NULL, bytes_out INTEGER NOT NULL, error TEXT
   ) STRICT;
   CREATE TABLE contents (
     id TEXT PRIMARY KEY, time INTEGER NOT NULL, key TEXT NOT NULL, bytes INTEGER NOT NULL,
     whole INTEGER NOT NULL, request BLOB NOT NULL, answer BLOB NOT NULL
   ) STRICT;
   CREATE INDEX contents_by_time ON contents (time, bytes);`,
  // Calls of tools one by one, and the definitions of tools that were accepted.
  `CREATE TABLE mcp_audit (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     time INTEGER NOT NULL, request TEXT NOT NULL, key TEXT NOT NULL, channel TEXT NOT NULL, server TEXT NOT NULL,
     method TEXT NOT NULL, name TEXT NOT NULL, shape TEXT NOT NULL,
     argument_bytes INTEGER NOT NULL, result_bytes INTEGER NOT NULL, outcome TEXT NOT NULL, code TEXT,
     duration REAL NOT NULL, approved_by TEXT, arguments TEXT, result TEXT
   ) STRICT;
   CREATE INDEX mcp_audit_by_time ON mcp_audit (time);
   CREATE TABLE mcp_pins (
     server TEXT NOT NULL, tool TEXT NOT NULL, hash TEXT NOT NULL, definition TEXT NOT NULL,
     accepted INTEGER NOT NULL, by TEXT NOT NULL,
     PRIMARY KEY (server, tool)
   ) STRICT, WITHOUT ROWID;`,
  // Runs of the runbook and what each did, entry by entry.
  `CREATE TABLE runbook_runs (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     spec TEXT NOT NULL, begun INTEGER NOT NULL, pid INTEGER NOT NULL, by TEXT NOT NULL,
     ended INTEGER, outcome TEXT
   ) STRICT;
   CREATE INDEX runbook_runs_by_spec ON runbook_runs (spec, id);
   CREATE TABLE runbook_journal (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     run INTEGER NOT NULL, time INTEGER NOT NULL, kind TEXT NOT NULL, step TEXT, data TEXT NOT NULL
   ) STRICT;
   CREATE INDEX runbook_journal_by_run ON runbook_journal (run, seq);
   CREATE TRIGGER runbook_runs_deleted AFTER DELETE ON runbook_runs BEGIN
     DELETE FROM runbook_journal WHERE run = old.id;
   END;`,
  // Switches of cards between drivers, each written before the first function moves and again after the last.
  `CREATE TABLE gpu_switches (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     host TEXT NOT NULL, boot TEXT NOT NULL, action TEXT NOT NULL, begun INTEGER NOT NULL,
     before TEXT NOT NULL, ended INTEGER, outcome TEXT, after TEXT, undone INTEGER
   ) STRICT;
   CREATE INDEX gpu_switches_by_host ON gpu_switches (host, id);`,
  // What was measured by the bench, a row for each name of a run.
  `CREATE TABLE bench_runs (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     run INTEGER NOT NULL, time INTEGER NOT NULL, version TEXT NOT NULL, digest TEXT NOT NULL,
     service TEXT NOT NULL, engine TEXT NOT NULL, engine_version TEXT NOT NULL, model TEXT NOT NULL,
     cards TEXT NOT NULL, route TEXT NOT NULL, settings TEXT NOT NULL, numbers TEXT NOT NULL
   ) STRICT;`,
  // How a service answered over time is asked for by the console again and again.
  `CREATE INDEX requests_by_service ON requests (service, time);`,
];

const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Brings the schema to this version, each step whole or not at all.
 * Throws OmniError `store.newer-version` when a later Omni wrote the database.
 */
export function migrate(database: DatabaseSync, place: string): void {
  const version = schemaVersion(database);
  if (version > SCHEMA_VERSION) {
    throw new OmniError(
      "store.newer-version",
      `${place} has schema version ${version}; this Omni knows versions up to ${SCHEMA_VERSION}.`,
    );
  }
  for (const [index, statements] of MIGRATIONS.entries()) {
    if (index >= version) step(database, index, statements);
  }
}

/** A node and commands of its owner may open a new database at the same moment: who comes second finds the step done. */
function step(database: DatabaseSync, index: number, statements: string): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    if (schemaVersion(database) <= index) database.exec(`${statements} PRAGMA user_version = ${index + 1}`);
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** The schema version of a database; 0 when it is new. */
export function schemaVersion(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
}
