import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { OmniError } from "../core/index.ts";
import { keyMay } from "./stored-key.ts";
import type { Rotation, StoredKey } from "./stored-key.ts";

/** Columns of a key, the same in SQLite and PostgreSQL. */
export const KEY_COLUMNS =
  "name, digest, prefix, may, created, expires, revoked, rotated, graced, graced_until";

const ROW = z.object({
  name: z.string(),
  digest: z.string(),
  prefix: z.string(),
  may: z.string(),
  created: z.coerce.number(),
  expires: z.coerce.number().nullable(),
  revoked: z.coerce.number().nullable(),
  rotated: z.coerce.number().nullable(),
  graced: z.string().nullable(),
  graced_until: z.coerce.number().nullable(),
});

/** A key from its row, the same in SQLite and PostgreSQL. Throws when the row was written by something else. */
export function keyFromRow(row: unknown): StoredKey {
  const { may, expires, revoked, rotated, graced, graced_until, ...rest } = ROW.parse(row);
  return {
    ...rest,
    may: keyMay.parse(JSON.parse(may)),
    ...(expires === null ? {} : { expires }),
    ...(revoked === null ? {} : { revoked }),
    ...(rotated === null ? {} : { rotated }),
    ...(graced === null || graced_until === null ? {} : { graced: { digest: graced, until: graced_until } }),
  };
}

/** The values of a key's row, in the order of `KEY_COLUMNS`. */
export const keyToRow = (key: StoredKey): (string | number | null)[] => [
  key.name,
  key.digest,
  key.prefix,
  JSON.stringify(key.may),
  key.created,
  key.expires ?? null,
  key.revoked ?? null,
  key.rotated ?? null,
  key.graced?.digest ?? null,
  key.graced?.until ?? null,
];

export const keyExists = (name: string): OmniError =>
  new OmniError("key.exists", `There is a key ${name} already.`, {
    hint: `Give it a new secret with ./omni keys rotate ${name}, or choose another name.`,
  });

export const keyUnknown = (name: string): OmniError =>
  new OmniError("key.unknown", `There is no key ${name} that is in force.`, {
    hint: "./omni keys list shows those that are; keys of a spec are changed in the spec.",
  });

export const notRevoked = (name: string): OmniError =>
  new OmniError("key.unknown", `There is no revoked key ${name}.`, {
    hint: `Revoke it first: ./omni keys revoke ${name}.`,
  });

/** The keys of a SQLite database. Several processes may write at once: each change is one statement. */
export class KeyTable {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Grows with every change of any key by any process. */
  generation(): number {
    return Number(this.#database.prepare("SELECT n FROM keys_generation").get()?.["n"] ?? 0);
  }

  list(): readonly StoredKey[] {
    return this.#database.prepare(`SELECT ${KEY_COLUMNS} FROM keys ORDER BY name`).all().map(keyFromRow);
  }

  create(key: StoredKey): void {
    const marks = KEY_COLUMNS.split(", ").map(() => "?");
    const sets = KEY_COLUMNS.split(", ").map((column) => `${column} = excluded.${column}`);
    const { changes } = this.#database
      .prepare(
        `INSERT INTO keys (${KEY_COLUMNS}) VALUES (${marks.join(", ")}) ` +
          `ON CONFLICT (name) DO UPDATE SET ${sets.join(", ")} WHERE keys.revoked IS NOT NULL`,
      )
      .run(...keyToRow(key));
    if (Number(changes) === 0) throw keyExists(key.name);
  }

  rotate(name: string, { digest, prefix, at, graceUntil }: Rotation): void {
    const graced = graceUntil === undefined ? "NULL" : "digest";
    const { changes } = this.#database
      .prepare(
        `UPDATE keys SET graced = ${graced}, graced_until = ?, digest = ?, prefix = ?, rotated = ? ` +
          "WHERE name = ? AND revoked IS NULL",
      )
      .run(graceUntil ?? null, digest, prefix, at, name);
    if (Number(changes) === 0) throw keyUnknown(name);
  }

  revoke(name: string, at: number): void {
    const { changes } = this.#database
      .prepare(
        "UPDATE keys SET revoked = ?, graced = NULL, graced_until = NULL WHERE name = ? AND revoked IS NULL",
      )
      .run(at, name);
    if (Number(changes) === 0) throw keyUnknown(name);
  }

  forget(name: string): void {
    const { changes } = this.#database
      .prepare("DELETE FROM keys WHERE name = ? AND revoked IS NOT NULL")
      .run(name);
    if (Number(changes) === 0) throw notRevoked(name);
  }
}
