import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { messageOf, OmniError } from "../core/index.ts";
import type { AuditFilter, AuditRow } from "./audit-row.ts";
import { AuditTable } from "./audit-table.ts";
import type { AuditBounds, NewAuditRow } from "./audit-table.ts";
import { migrate } from "./schema.ts";
import { databasePath, pinsMarkPath } from "./state-paths.ts";

export type { AuditRow } from "./audit-row.ts";

/** The definition of a tool that was accepted. */
export interface PinRow {
  readonly server: string;
  readonly tool: string;
  /** SHA-256 of the definition, 64 hexadecimal digits. */
  readonly hash: string;
  /** Canonical JSON. */
  readonly definition: string;
  /** Milliseconds since the epoch. */
  readonly accepted: number;
  /** `first use`, or a key's name. */
  readonly by: string;
}

/** What the tool gateway keeps: each call, and the definitions of tools that were accepted. */
export interface McpBook {
  /** Keeps a row of the audit. Throws nothing and waits for nothing: rows are written together, a moment later. */
  record(row: NewAuditRow): void;
  /** Newest first, at most 1000. Throws OmniError `store.unwritable` when they cannot be read. */
  audit(filter: AuditFilter): readonly AuditRow[];
  /** All pins, or those of one server. Throws OmniError `store.unwritable` when they cannot be read. */
  pins(server?: string): readonly PinRow[];
  /** Keeps them all or none, each in the place of an older one. Throws OmniError `store.unwritable`. */
  pin(rows: readonly PinRow[]): void;
  /** There were pins once and there were none when the book was opened: the database was damaged and begun anew. */
  readonly hasLostPins: boolean;
  close(): void;
}

interface McpBookOptions {
  /** Rows of the audit at most; the oldest go first. */
  readonly rows?: number;
  /** Told of rows that could not be kept, and why. */
  readonly lost?: (rows: number, why: string) => void;
}

const ROWS = 1_000_000;
/** Milliseconds that a pin waits for another process that writes: pins are rare, and must not get lost. */
const PATIENCE = 2000;

/**
 * Opens the book of a state folder, which need not exist, on connections of its own: a node and a gateway beside it may do
 * so at the same time. Throws nothing: where the database cannot be opened, the book says so whenever pins are asked for,
 * and the audit is lost. `age` is how long the audit is kept, milliseconds. It sets no damaged database aside, for that is its owner's to do.
 */
export function openMcpBook(stateFolder: string, age: number, options: McpBookOptions = {}): McpBook {
  const path = databasePath(stateFolder);
  const { rows = ROWS, lost = () => undefined } = options;
  try {
    mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
    const database = new DatabaseSync(path, { timeout: PATIENCE });
    try {
      database.exec(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 1000",
      );
      migrate(database, path);
      return new OpenBook(stateFolder, database, { age, rows }, lost);
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    return unreadableBook(error instanceof OmniError ? error : unwritable(path, "opened", error), lost);
  }
}

function unreadableBook(error: OmniError, lost: (rows: number, why: string) => void): McpBook {
  const refuse = (): never => {
    throw error;
  };
  return {
    record: () => lost(1, error.message),
    audit: refuse,
    pins: refuse,
    pin: refuse,
    hasLostPins: true,
    close: () => undefined,
  };
}

class OpenBook implements McpBook {
  readonly hasLostPins: boolean;
  readonly #path: string;
  readonly #mark: string;
  readonly #pins: DatabaseSync;
  readonly #audits: DatabaseSync;
  readonly #audit: AuditTable;
  #open = true;

  constructor(
    stateFolder: string,
    pins: DatabaseSync,
    bounds: AuditBounds,
    lost: (rows: number, why: string) => void,
  ) {
    this.#path = databasePath(stateFolder);
    this.#mark = pinsMarkPath(stateFolder);
    this.#pins = pins;
    this.hasLostPins =
      existsSync(this.#mark) && pins.prepare("SELECT 1 FROM mcp_pins LIMIT 1").get() === undefined;
    this.#audits = new DatabaseSync(this.#path, { timeout: 0 });
    this.#audits.exec("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 1000");
    this.#audit = new AuditTable(this.#audits, bounds, lost);
  }

  record(row: NewAuditRow): void {
    if (this.#open) this.#audit.add(row);
  }

  audit(filter: AuditFilter): readonly AuditRow[] {
    return this.#named("read", () => this.#audit.latest(filter));
  }

  pins(server?: string): readonly PinRow[] {
    return this.#named("read", () => {
      const columns = "SELECT server, tool, hash, definition, accepted, by FROM mcp_pins";
      const rows =
        server === undefined
          ? this.#pins.prepare(`${columns} ORDER BY server, tool`).all()
          : this.#pins.prepare(`${columns} WHERE server = ? ORDER BY tool`).all(server);
      return rows.map((row) => ({
        server: String(row["server"]),
        tool: String(row["tool"]),
        hash: String(row["hash"]),
        definition: String(row["definition"]),
        accepted: Number(row["accepted"]),
        by: String(row["by"]),
      }));
    });
  }

  pin(rows: readonly PinRow[]): void {
    if (rows.length === 0) return;
    this.#named("written", () => {
      if (!existsSync(this.#mark)) writeFileSync(this.#mark, "", { mode: 0o600 });
      this.#pins.exec("BEGIN IMMEDIATE");
      try {
        const insert = this.#pins.prepare(
          "INSERT OR REPLACE INTO mcp_pins (server, tool, hash, definition, accepted, by) VALUES (?, ?, ?, ?, ?, ?)",
        );
        for (const { server, tool, hash, definition, accepted, by } of rows)
          insert.run(server, tool, hash, definition, Math.round(accepted), by);
        this.#pins.exec("COMMIT");
      } catch (error) {
        if (this.#pins.isTransaction) this.#pins.exec("ROLLBACK");
        throw error;
      }
    });
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#audit.close();
    this.#audits.close();
    this.#pins.close();
  }

  #named<T>(how: string, run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw unwritable(this.#path, how, error);
    }
  }
}

const unwritable = (path: string, how: string, error: unknown): OmniError =>
  new OmniError(
    "store.unwritable",
    `The tool gateway's book in ${path} cannot be ${how}: ${messageOf(error)}.`,
    {
      cause: error,
    },
  );
