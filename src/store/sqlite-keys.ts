import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { StatementSync } from "node:sqlite";
import { messageOf, OmniError } from "../core/index.ts";
import { KeyTable, keyUnknown } from "./key-table.ts";
import { migrate } from "./schema.ts";
import { databasePath, keysMarkPath } from "./state-paths.ts";
import type { KeyStore, Rotation, StoredKey, UsageQuery, UsageRow } from "./stored-key.ts";
import { UsageTable } from "./usage-table.ts";

/** Milliseconds that a command waits for a lock of another process; a node waits for none and writes a second later. */
const PATIENCE = 5000;

/** Keys and usage of one state folder, for the node and for commands beside it: each has a connection of its own. */
export class SqliteKeys implements KeyStore {
  readonly #database: DatabaseSync;
  readonly #keys: KeyTable;
  readonly #usage: UsageTable;
  readonly #dataVersion: StatementSync;
  readonly #place: string;
  readonly #mark: string;
  #version = -1;
  #generation = -1;

  /** Use `openSqliteKeys`. */
  constructor(database: DatabaseSync, stateFolder: string) {
    this.#database = database;
    this.#dataVersion = database.prepare("PRAGMA data_version");
    this.#place = databasePath(stateFolder);
    this.#mark = keysMarkPath(stateFolder);
    this.#keys = new KeyTable(database);
    this.#usage = new UsageTable(database);
  }

  /**
   * All keys, when any of them has changed since the last call, by whatever process, and at first. While nobody writes it
   * costs one look at the shared index of the log, some microseconds (PRAGMA data_version). Throws SQLite's error.
   */
  listIfChanged(): readonly StoredKey[] | undefined {
    const version = Number(this.#dataVersion.get()?.["data_version"]);
    if (version === this.#version) return undefined;
    const generation = this.#keys.generation();
    const changed = generation !== this.#generation;
    const keys = changed ? this.#keys.list() : undefined;
    // Only now: what could not be read is read again.
    this.#version = version;
    this.#generation = generation;
    return keys;
  }

  /** Whether this folder ever had a key, also when the database was damaged since and a new one was begun. */
  get everHadKeys(): boolean {
    return existsSync(this.#mark);
  }

  usageNow(query: UsageQuery): readonly UsageRow[] {
    return this.#usage.select(query);
  }

  /** Adds usage, all or nothing. Throws SQLite's error, also when another process holds the lock. */
  addUsage(rows: readonly UsageRow[]): void {
    this.#usage.add(rows);
  }

  pruneUsage(oldestDay: string): void {
    this.#usage.prune(oldestDay);
  }

  list(): Promise<readonly StoredKey[]> {
    return this.#named(() => this.#keys.list());
  }

  create(key: StoredKey): Promise<void> {
    return this.#changing(() => {
      writeFileSync(this.#mark, "", { mode: 0o600 });
      this.#keys.create(key);
    });
  }

  rotate(name: string, to: Rotation): Promise<void> {
    return this.#changing(() => this.#keys.rotate(name, to));
  }

  revoke(name: string, at: number): Promise<void> {
    return this.#changing(() => this.#keys.revoke(name, at));
  }

  forget(name: string): Promise<void> {
    return this.#changing(() => {
      this.#keys.forget(name);
      if (this.#keys.list().length === 0) rmSync(this.#mark, { force: true });
    });
  }

  usage(query: UsageQuery): Promise<readonly UsageRow[]> {
    return this.#named(() => this.#usage.select(query));
  }

  close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
    return Promise.resolve();
  }

  /** `PRAGMA data_version` tells of other connections' changes alone: the next look has to read after one of its own. */
  #changing(act: () => void): Promise<void> {
    this.#version = -1;
    return this.#named(act);
  }

  async #named<T>(act: () => T): Promise<T> {
    try {
      return await Promise.resolve(act());
    } catch (error) {
      throw unusable(this.#place, error);
    }
  }
}

/**
 * Opens keys and usage of a state folder, making both when they are missing, whether a node owns the folder or not.
 * `patient` waits for other writers. Throws OmniError `store.unwritable`, `store.newer-version`. A damaged database is
 * left as it is: only the node that owns the folder may put it aside.
 */
export function openSqliteKeys(stateFolder: string, { patient }: { readonly patient: boolean }): SqliteKeys {
  const path = databasePath(stateFolder);
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
    database = new DatabaseSync(path, { timeout: PATIENCE });
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 1000");
    migrate(database, path);
    if (!patient) database.exec("PRAGMA busy_timeout = 0");
    return new SqliteKeys(database, stateFolder);
  } catch (error) {
    database?.close();
    throw unusable(path, error);
  }
}

function unusable(path: string, error: unknown): OmniError {
  if (error instanceof OmniError) return error;
  return new OmniError("store.unwritable", `The keys in ${path} cannot be used: ${messageOf(error)}.`, {
    hint: "Check the file's owner and the free disk; a damaged database is set aside when the node starts.",
    cause: error,
  });
}

/** The keys of a state folder without making it: where there is no database there are none. */
export function readSqliteKeys(stateFolder: string): KeyStore {
  return existsSync(databasePath(stateFolder)) ? openSqliteKeys(stateFolder, { patient: true }) : NOTHING;
}

const unknown = (name: string): Promise<never> => Promise.reject(keyUnknown(name));

const NOTHING: KeyStore = {
  list: () => Promise.resolve([]),
  create: ({ name }) => unknown(name),
  rotate: unknown,
  revoke: unknown,
  forget: unknown,
  usage: () => Promise.resolve([]),
  close: () => Promise.resolve(),
};
