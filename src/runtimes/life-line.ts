import { execFile } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { promisify } from "node:util";
import { LifeLineGuard } from "./life-line-guard.ts";
import { startTimeOf } from "./process-identity.ts";
import type { UnitRecords } from "./unit-records.ts";

const MOST_GUARDS = 20;

export interface LifeLineOptions {
  readonly records: UnitRecords;
  readonly unit: string;
  /** Milliseconds. */
  readonly grace: number;
  readonly cgroup: string | undefined;
  /** Another guard watches now. */
  readonly onGuard: () => void;
}

/**
 * What ties an engine to whoever may decide about it: its standard input, a named pipe that ends when neither Omni nor
 * guard holds it, and the guard. A guard that dies is replaced while Omni lives; should both be killed together, an
 * engine that reads its standard input ends, and the next Omni finds the record of any other.
 */
export class LifeLine {
  readonly #options: LifeLineOptions;
  #stdin: number | undefined;
  #guard: LifeLineGuard | undefined;
  #turn: number;
  #engine: number | undefined;
  #guards = 0;
  #over = false;

  private constructor(options: LifeLineOptions, stdin: number | undefined, turn: number) {
    this.#options = options;
    this.#stdin = stdin;
    this.#turn = turn;
  }

  /** Ready before the engine is: from here on nothing that carries the unit's mark outlives Omni for longer than the grace. */
  static async prepare(options: LifeLineOptions): Promise<LifeLine> {
    const { records, unit } = options;
    const line = new LifeLine(options, await makePipe(records.stdinPath(unit)), 1);
    records.makeClaim(unit);
    line.#guard = line.#startGuard(line.#turn);
    return line;
  }

  /** `undefined` when the unit's guard has already decided to end it. */
  static takeOver(options: LifeLineOptions, pid: number): LifeLine | undefined {
    const { records, unit } = options;
    const turn = records.claimTurn(unit);
    if (turn === undefined) return undefined;
    const line = new LifeLine(options, openPipe(records.stdinPath(unit)), turn);
    line.#engine = pid;
    if (line.#nextGuard()) return line;
    line.#close();
    return undefined;
  }

  /** What the engine gets as standard input: a descriptor to be closed once it runs, or `pipe` where pipes have no names. */
  engineInput(): number | "pipe" {
    return this.#stdin === undefined
      ? "pipe"
      : openSync(this.#options.records.stdinPath(this.#options.unit), "r");
  }

  /** Tells the guard which process it watches over. */
  attach(pid: number): void {
    this.#engine = pid;
    this.#guard?.watch(pid, startTimeOf(pid));
  }

  /** Whether another Omni could take the engine over. */
  get lasts(): boolean {
    return this.#stdin !== undefined && this.#guard !== undefined;
  }

  get guardPid(): number | undefined {
    return this.#guard?.pid;
  }

  /** The engine has ended. */
  end(): void {
    this.#over = true;
    this.#guard?.dismiss();
    this.#close();
  }

  /** Leaves the engine to the guard, which waits for the next Omni. */
  release(): void {
    this.#over = true;
    this.#guard?.release();
    this.#close();
  }

  /** A new guard first, then the claim for it: whenever this process dies, one of two guards holds the claim. */
  #nextGuard(): boolean {
    const { records, unit } = this.#options;
    const next = this.#turn + 1;
    const guard = this.#startGuard(next);
    if (this.#engine !== undefined) guard?.watch(this.#engine, startTimeOf(this.#engine));
    if (!records.takeClaim(unit, this.#turn, next)) {
      guard?.dismiss();
      return false;
    }
    this.#turn = next;
    this.#guard = guard;
    return true;
  }

  #startGuard(turn: number): LifeLineGuard | undefined {
    if (this.#guards++ > MOST_GUARDS) return undefined;
    const { unit, records, cgroup } = this.#options;
    const task = {
      unit,
      // An engine whose standard input only this process holds cannot be taken over.
      grace: this.#stdin === undefined ? 0 : this.#options.grace,
      files: records.prefix(unit),
      turn,
      cgroup,
      stdin: this.#stdin,
    };
    return LifeLineGuard.start(task, () => {
      if (this.#over || turn !== this.#turn) return;
      this.#nextGuard();
      this.#options.onGuard();
    });
  }

  #close(): void {
    if (this.#stdin !== undefined) closeSync(this.#stdin);
    this.#stdin = undefined;
  }
}

async function makePipe(path: string): Promise<number | undefined> {
  if (process.platform === "win32") return undefined;
  try {
    await promisify(execFile)("mkfifo", ["-m", "600", path]);
    return openPipe(path);
  } catch {
    return undefined;
  }
}

/** Open for both, so that opening never waits for the other side. */
function openPipe(path: string): number | undefined {
  try {
    return openSync(path, "r+");
  } catch {
    return undefined;
  }
}
