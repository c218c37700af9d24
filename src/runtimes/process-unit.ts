import { setTimeout as sleep } from "node:timers/promises";
import type { Address } from "../core/index.ts";
import type { ProcessExit } from "../engines/engine.ts";
import type { LifeLine } from "./life-line.ts";
import type { ProcessCensus } from "./process-census.ts";
import { isSameProcess, killGroup, killMarked, markedProcesses, signalProcess } from "./process-identity.ts";
import type { Unit } from "./runtime.ts";
import { cgroupProcesses, killCgroup, removeCgroup } from "./unit-cgroup.ts";
import type { UnitLog } from "./unit-log.ts";
import type { UnitRecord } from "./unit-records.ts";

/** Node runs a timer beyond this at once. */
const LONGEST_DELAY = 2 ** 31 - 1;
/** Milliseconds that killed processes may take to be gone. */
const KILL_WAIT = 5000;

export interface ProcessUnitParts {
  readonly record: UnitRecord;
  readonly adopted: boolean;
  /** Its leader's end. */
  readonly ended: Promise<ProcessExit>;
  readonly lifeLine: LifeLine;
  readonly census: ProcessCensus;
  /** Absent where no file could be opened for it. */
  readonly log: UnitLog | undefined;
  /** Asks it to end where there are no signals. */
  readonly endInput: () => void;
  /** Called once the leader has ended and the rest was killed. */
  readonly onGone: () => void;
  /** Ends what is tied to this process when the unit is left to the next Omni. */
  readonly onRelease: () => void;
}

/** An engine as a process group of this machine, started by this Omni or adopted. */
export class ProcessUnit implements Unit {
  readonly id: string;
  readonly service: string;
  readonly address: Address;
  readonly digest: string;
  readonly startedAt: number;
  readonly adopted: boolean;
  readonly pid: number;
  readonly logFile?: string;
  readonly exited: Promise<ProcessExit>;
  readonly #parts: ProcessUnitParts;
  #ended = false;
  #released = false;
  #force: NodeJS.Timeout | undefined;

  constructor(parts: ProcessUnitParts) {
    const { record } = parts;
    this.#parts = parts;
    this.id = record.unit;
    this.service = record.service;
    this.address = record.address;
    this.digest = record.digest;
    this.startedAt = record.startedAt;
    this.adopted = parts.adopted;
    this.pid = record.pid;
    if (record.log !== undefined) this.logFile = record.log;
    this.exited = parts.ended.then((exit) => this.#cleanUp(exit));
  }

  lastLines(): readonly string[] {
    return this.#parts.log?.lastLines() ?? [];
  }

  onLine(listener: (line: string) => void): () => void {
    return this.#parts.log?.onLine(listener) ?? (() => {});
  }

  processes(): Promise<readonly number[]> {
    if (this.#ended) return Promise.resolve([]);
    const { record, census } = this.#parts;
    const found = record.cgroup === undefined ? census.of(this.id) : cgroupProcesses(record.cgroup);
    return Promise.resolve([...new Set([this.pid, ...found])]);
  }

  stop(deadline: number): Promise<ProcessExit> {
    if (this.#ended || this.#released) return this.exited;
    clearTimeout(this.#force);
    if (deadline <= 0) {
      this.#kill();
      return this.exited;
    }
    this.#force = setTimeout(() => this.#kill(), Math.min(deadline, LONGEST_DELAY));
    // Windows knows no SIGTERM: there, end of file is the request to end.
    if (process.platform === "win32") this.#parts.endInput();
    else if (this.#isItself()) signalProcess(this.pid, "SIGTERM");
    return this.exited;
  }

  /** Leaves it to the next Omni; `false` when it cannot be taken over and has to be stopped. */
  async release(): Promise<boolean> {
    if (this.#ended || !this.#parts.lifeLine.lasts) return false;
    this.#released = true;
    clearTimeout(this.#force);
    this.#parts.lifeLine.release();
    this.#parts.onRelease();
    await this.#parts.log?.close();
    return true;
  }

  #isItself(): boolean {
    return !this.adopted || isSameProcess(this.pid, this.#parts.record.identity);
  }

  #kill(): void {
    if (this.#isItself()) killGroup(this.pid);
  }

  async #cleanUp(exit: ProcessExit): Promise<ProcessExit> {
    // Whoever has it now cleans up.
    if (this.#released) return exit;
    this.#ended = true;
    clearTimeout(this.#force);
    // What the engine started must not outlive it.
    killGroup(this.pid);
    await killRest(this.id, this.#parts.record.cgroup);
    this.#parts.lifeLine.end();
    await this.#parts.log?.close();
    this.#parts.onGone();
    return exit;
  }
}

/** Kills what is left of a unit wherever it went, and waits until nothing is, 5 s at most. Its cgroup is removed. */
export async function killRest(unit: string, cgroup: string | undefined): Promise<void> {
  if (cgroup !== undefined) killCgroup(cgroup);
  for (const until = performance.now() + KILL_WAIT; performance.now() < until; await sleep(20)) {
    if (markedProcesses(unit).length === 0) break;
    killMarked(unit);
  }
  if (cgroup !== undefined) await removeCgroup(cgroup);
}
