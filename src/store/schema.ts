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
    if (index < version) continue;
    database.exec(`BEGIN IMMEDIATE; ${statements} PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}

/** The schema version of a database; 0 when it is new. */
export function schemaVersion(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
}
