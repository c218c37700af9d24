import { mkdirSync } from "node:fs";
import type { EventLog } from "../core/index.ts";
import { OmniError, messageOf } from "../core/index.ts";
import { EventTable } from "./event-table.ts";
import { lockFolder } from "./node-lock.ts";
import { readRecordFile, removeNodeRecord, writeNodeRecord } from "./node-record.ts";
import { MeasurementTable } from "./measurement-table.ts";
import type { Measurements } from "./measurement-table.ts";
import { openAgain, openDatabase } from "./open-database.ts";
import type { Retention } from "./retention.ts";
import { RETENTION } from "./retention.ts";
import { SampleTable } from "./sample-table.ts";
import type { SampleHistory } from "./sample-table.ts";
import { databasePath } from "./state-paths.ts";

export interface StoreOptions {
  readonly retention?: Partial<Retention>;
}

/** A state folder that this process owns until `close`. */
export interface Store {
  readonly events: EventLog;
  /** How cards and machine were. */
  readonly samples: SampleHistory;
  /** What engines really took. */
  readonly measurements: Measurements;
  /** Tells other processes where the gateway listens: its base URL, without `/v1`. */
  announce(url: string): void;
  /** Gives the folder back. */
  close(): void;
}

/**
 * Takes the state folder and opens what is in it, making both when they are missing.
 * Throws OmniError `node.already-running` when another living process owns it, `store.unwritable`,
 * `store.newer-version`. A damaged database is set aside; the first event says so.
 */
export function openStore(stateFolder: string, options: StoreOptions = {}): Store {
  return named(stateFolder, () => {
    mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
    const unlock = lockFolder(stateFolder);
    if (unlock === undefined) throw alreadyRunning(stateFolder);
    try {
      return openLocked(stateFolder, { ...RETENTION, ...options.retention }, unlock);
    } catch (error) {
      unlock();
      throw error;
    }
  });
}

function openLocked(stateFolder: string, retention: Retention, unlock: () => void): Store {
  const path = databasePath(stateFolder);
  const { database, damaged } = openDatabase(path);
  // The numbers of lost events are unknown and must not come again: seconds since the epoch are beyond any of them.
  const firstSeq = damaged === undefined ? 1 : Math.floor(Date.now() / 1000);
  const events = new EventTable(database, retention, firstSeq);
  const self = { pid: process.pid, startedAt: Math.round(Date.now() - process.uptime() * 1000) };
  // A connection of their own that never waits: another process that holds a lock must not stop the node for a history.
  const patient = openAgain(path);
  const measurements = new MeasurementTable(patient, retention.measurements);
  const samples = new SampleTable(patient, retention.samples, () => measurements.flush());
  writeNodeRecord(stateFolder, self);
  if (damaged !== undefined) {
    events.record({
      kind: "store.damaged",
      severity: "warning",
      message: `The event database was damaged (${damaged.reason}); it is kept as ${damaged.movedTo} and a new one is begun.`,
      data: { movedTo: damaged.movedTo },
    });
  }
  let open = true;
  return {
    events,
    samples,
    measurements,
    announce: (url) => writeNodeRecord(stateFolder, { ...self, url }),
    close(): void {
      if (!open) return;
      open = false;
      removeNodeRecord(stateFolder);
      samples.flush();
      measurements.flush();
      patient.close();
      database.close();
      unlock();
    },
  };
}

function alreadyRunning(stateFolder: string): OmniError {
  const record = readRecordFile(stateFolder);
  const who =
    record === undefined
      ? "another process"
      : `process ${record.pid}${record.url === undefined ? ", which is starting" : ` at ${record.url}`}`;
  const stop = record === undefined ? "Stop it" : `Stop it (kill ${record.pid})`;
  return new OmniError("node.already-running", `The state folder ${stateFolder} belongs to ${who}.`, {
    hint: `${stop}, or set OMNI_STATE to another folder for a second node.`,
  });
}

/** Faults of the disk and its rights become one error that names the folder. */
function named<T>(stateFolder: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (error instanceof OmniError) throw error;
    throw new OmniError(
      "store.unwritable",
      `The state folder ${stateFolder} cannot be used: ${messageOf(error)}.`,
      { cause: error },
    );
  }
}
