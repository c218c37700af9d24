import { spawn } from "node:child_process";
import type { ChildProcess, ChildProcessByStdio } from "node:child_process";
import { Readable } from "node:stream";
import { messageOf } from "../core/index.ts";

/** What a program of the system said, or why it said nothing. */
export type ProgramResult =
  | { readonly ended: true; readonly code: number | null; readonly stdout: string; readonly stderr: string }
  | {
      readonly ended: false;
      readonly why: "absent" | "timeout" | "too-much" | "aborted" | "failed";
      readonly message: string;
    };

export interface ProgramLimits {
  /** Milliseconds until the program and everything it started is killed. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/** No probe reads more; a real answer has some hundred bytes a card. */
const MOST_BYTES = 1 << 20;

/**
 * Runs a program and collects what it prints. It gets a process group of its own, which is killed at the limit: a
 * driver's tool can hang in the kernel, where no signal reaches it, so the answer is not waited for after that either.
 * Throws nothing.
 */
export function runBounded(
  program: string,
  args: readonly string[],
  limits: ProgramLimits,
): Promise<ProgramResult> {
  if (limits.signal?.aborted === true)
    return Promise.resolve(stopped("aborted", `${program} was not started`));
  return new Promise((resolve) => {
    const child = start(program, args);
    if (child instanceof Error) return resolve(stopped("failed", `${program}: ${messageOf(child)}`));
    const output = { stdout: "", stderr: "" };
    let bytes = 0;
    const finish = (result: ProgramResult): void => {
      clearTimeout(timer);
      limits.signal?.removeEventListener("abort", onAbort);
      abandon(child);
      resolve(result);
    };
    const onAbort = (): void => finish(stopped("aborted", `${program} was stopped`));
    const timer = setTimeout(
      () => finish(stopped("timeout", `${program} did not answer within ${limits.timeout / 1000} s`)),
      limits.timeout,
    );
    limits.signal?.addEventListener("abort", onAbort, { once: true });
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].setEncoding("utf8").on("data", (piece: string) => {
        bytes += piece.length;
        output[stream] += piece;
        if (bytes > MOST_BYTES)
          finish(stopped("too-much", `${program} printed more than ${MOST_BYTES} bytes`));
      });
    }
    child.once("error", (error) =>
      finish(stopped(isAbsent(error) ? "absent" : "failed", `${program}: ${messageOf(error)}`)),
    );
    child.once("close", (code) => finish({ ended: true, code, ...output }));
  });
}

/**
 * Some failures to start are thrown (a name that cannot be, no memory); with no file handles left there is a process
 * object without pipes.
 */
function start(
  program: string,
  args: readonly string[],
): ChildProcessByStdio<null, Readable, Readable> | Error {
  try {
    const child = spawn(program, args, {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, LC_ALL: "C" },
    });
    const pipes: readonly unknown[] = [child.stdout, child.stderr];
    if (pipes.every((pipe) => pipe instanceof Readable)) return child;
    child.once("error", () => {});
    return new Error("there are no file handles left for its output");
  } catch (thrown) {
    return thrown instanceof Error ? thrown : new Error(String(thrown));
  }
}

const stopped = (why: Exclude<ProgramResult, { ended: true }>["why"], message: string): ProgramResult => ({
  ended: false,
  why,
  message,
});

const isAbsent = (error: Error): boolean =>
  "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");

/** Kills the whole group and lets go of the pipes, so that not even an unkillable child keeps this process. */
function abandon(child: ChildProcess): void {
  if (child.pid !== undefined) {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // The group is gone already.
    }
  }
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.unref();
}
