import type { DatabaseSync } from "node:sqlite";
import { MEASUREMENT_COLUMNS, measurementOf } from "./measurement.ts";
import type { Measurement } from "./measurement.ts";
import { readDatabase } from "./read-database.ts";

/** The schema that brought measurements. */
const SINCE = 2;

/**
 * Reads what engines took without being the node, also while it runs; newest first. `undefined` when no node ever ran
 * with this folder. Throws OmniError `store.unwritable` when the database is there and cannot be read.
 */
export const readMeasurements = (stateFolder: string): readonly Measurement[] | undefined =>
  readDatabase(stateFolder, "measurements", (database, version) => (version < SINCE ? [] : select(database)));

const select = (database: DatabaseSync): Measurement[] =>
  database
    .prepare(`SELECT ${MEASUREMENT_COLUMNS} FROM measurements ORDER BY id DESC`)
    .all()
    .flatMap((row) => measurementOf(row) ?? []);
