import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { isFolderLocked } from "./node-lock.ts";
import { recordPath } from "./state-paths.ts";

/** Who runs with a state folder, for commands that look for it. */
export interface NodeRecord {
  readonly pid: number;
  /** Milliseconds since the epoch when its process started. */
  readonly startedAt: number;
  /** Base URL of its gateway, without `/v1`; missing until the gateway listens. */
  readonly url?: string;
}

/** The node that runs with this state folder now and has a URL, or `undefined`. A record that a killed node left is not believed. */
export function readNodeRecord(stateFolder: string): (NodeRecord & { readonly url: string }) | undefined {
  const record = readRecordFile(stateFolder);
  if (record?.url === undefined || !isFolderLocked(stateFolder)) return undefined;
  return { ...record, url: record.url };
}

/** What the record says, whether or not its process still lives. */
export function readRecordFile(stateFolder: string): NodeRecord | undefined {
  try {
    const read: unknown = JSON.parse(readFileSync(recordPath(stateFolder), "utf8"));
    if (typeof read !== "object" || read === null) return undefined;
    const { pid, startedAt, url }: Partial<Record<keyof NodeRecord, unknown>> = read;
    if (typeof pid !== "number" || typeof startedAt !== "number") return undefined;
    return typeof url === "string" ? { pid, startedAt, url } : { pid, startedAt };
  } catch {
    return undefined;
  }
}

/** Writes the record so that a reader sees the old or the new one, never half of it. */
export function writeNodeRecord(stateFolder: string, record: NodeRecord): void {
  const path = recordPath(stateFolder);
  writeFileSync(`${path}.new`, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

export const removeNodeRecord = (stateFolder: string): void =>
  rmSync(recordPath(stateFolder), { force: true });
