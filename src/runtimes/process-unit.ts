import type { ChildProcess } from "node:child_process";
import type { ProcessExit } from "../engines/engine.ts";
import { guardGroup } from "./life-line-guard.ts";
import { LineSplitter } from "./line-splitter.ts";
import { killGroup, killMarked } from "./process-identity.ts";
import type { RotatingLog } from "./rotating-log.ts";
import type { Unit } from "./runtime.ts";

const KEPT_LINES = 200;
const LINE_LIMIT = 4096;
/** How long the last output may take to arrive after the process is gone. */
const OUTPUT_WAIT = 500;
/** Node runs a timer beyond this at once. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** An engine as a child process: its own group, a life line on stdin, its last lines in memory. */
export class ProcessUnit implements Unit {
  readonly pid: number;
  readonly exited: Promise<ProcessExit>;
  readonly #child: ChildProcess;
  readonly #log: RotatingLog;
  readonly #lines: string[] = [];
  #ended = false;
  #force: NodeJS.Timeout | undefined;

  /** `child` must have been spawned as leader of a group of its own, with three pipes and the mark `unit`. */
  constructor(child: ChildProcess, pid: number, unit: string, log: RotatingLog) {
    this.#child = child;
    this.pid = pid;
    this.#log = log;
    const dismissGuard = guardGroup(pid);
    child.stdin?.on("error", () => {});
    const outputs = [this.#follow(child.stdout), this.#follow(child.stderr)];
    this.exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        this.#ended = true;
        clearTimeout(this.#force);
        // What the engine started must not outlive it; killing it also closes the pipes that it holds.
        killGroup(pid);
        killMarked(unit);
        dismissGuard();
        void this.#closeOutput(outputs).then(() => resolve({ code, signal }));
      });
    });
  }

  lastLines(): readonly string[] {
    return [...this.#lines];
  }

  stop(deadline: number): Promise<ProcessExit> {
    if (this.#ended) return this.exited;
    clearTimeout(this.#force);
    if (deadline <= 0) {
      killGroup(this.pid);
      return this.exited;
    }
    this.#force = setTimeout(() => killGroup(this.pid), Math.min(deadline, LONGEST_DELAY));
    // Windows knows no SIGTERM: there, end of file is the request to end.
    if (process.platform === "win32") this.#child.stdin?.end();
    else this.#child.kill("SIGTERM");
    return this.exited;
  }

  #follow(stream: NodeJS.ReadableStream | null): LineSplitter {
    const splitter = new LineSplitter(LINE_LIMIT, (line) => {
      this.#lines.push(line);
      if (this.#lines.length > KEPT_LINES) this.#lines.shift();
      this.#log.write(line);
    });
    stream?.on("data", (chunk: Buffer) => splitter.write(chunk));
    stream?.on("error", () => {});
    return splitter;
  }

  async #closeOutput(outputs: readonly LineSplitter[]): Promise<void> {
    const { stdout, stderr } = this.#child;
    const closed = new Promise<void>((resolve) => {
      if (stdout?.closed === true && stderr?.closed === true) resolve();
      this.#child.once("close", () => resolve());
    });
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const limit = setTimeout(resolve, OUTPUT_WAIT);
    await Promise.race([closed, late]);
    clearTimeout(limit);
    stdout?.destroy();
    stderr?.destroy();
    for (const splitter of outputs) splitter.end();
    await this.#log.close();
  }
}
