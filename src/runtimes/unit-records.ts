import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { killGroup, killMarked, markedProcesses, processIdentity } from "./process-identity.ts";
import type { Orphan } from "./runtime.ts";

interface UnitRecord {
  readonly unit: string;
  readonly service: string;
  readonly pid: number;
  /** What `processIdentity` said right after the start. */
  readonly identity: string | undefined;
}

const KILL_WAIT = 5000;

/** Files that say which engines this state folder started, so that the next run finds what a killed one left. */
export class UnitRecords {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  async add(unit: string, service: string, pid: number): Promise<void> {
    const record: UnitRecord = { unit, service, pid, identity: await processIdentity(pid) };
    writeFileSync(this.#path(unit), JSON.stringify(record), { mode: 0o600 });
  }

  remove(unit: string): void {
    rmSync(this.#path(unit), { force: true });
  }

  /** Kills every recorded engine that still lives and is the same process as then; returns those. */
  async sweep(): Promise<readonly Orphan[]> {
    const orphans: Orphan[] = [];
    for (const name of readdirSync(this.#folder).filter((name) => name.endsWith(".json"))) {
      const record = readRecord(join(this.#folder, name));
      if (record !== undefined && (await killLeftover(record))) {
        orphans.push({ service: record.service, pid: record.pid });
      }
      rmSync(join(this.#folder, name), { force: true });
    }
    return orphans;
  }

  #path(unit: string): string {
    return join(this.#folder, `${unit}.json`);
  }
}

function readRecord(path: string): UnitRecord | undefined {
  try {
    const read: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof read !== "object" || read === null) return undefined;
    const { unit, service, pid, identity } = read as Partial<Record<keyof UnitRecord, unknown>>;
    if (typeof unit !== "string" || typeof service !== "string" || typeof pid !== "number") return undefined;
    return { unit, service, pid, identity: typeof identity === "string" ? identity : undefined };
  } catch {
    // Half written when the node was killed: the life line covers that engine.
    return undefined;
  }
}

/** A number alone proves nothing, it may be another program's by now: identity or the mark must agree. */
async function killLeftover(record: UnitRecord): Promise<boolean> {
  const until = performance.now() + KILL_WAIT;
  for (let found = false; ; found = true) {
    const same = record.identity !== undefined && (await processIdentity(record.pid)) === record.identity;
    if (!same && markedProcesses(record.unit).length === 0) return found;
    if (same) killGroup(record.pid);
    killMarked(record.unit);
    if (performance.now() > until) return true;
    await sleep(20);
  }
}
