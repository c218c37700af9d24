import { spawn } from "node:child_process";
import type { ChildProcess, ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { messageOf } from "../../core/index.ts";
import { followProgram, notStarted } from "./running-program.ts";
import type { ProgramEnd, ProgramOutcome, RunningProgram } from "./running-program.ts";
import type { HostCommand } from "./transport.ts";

/** Runs a program of this machine in a process group of its own. Throws nothing. */
export async function runLocally(command: HostCommand): Promise<ProgramOutcome> {
  const [name, ...args] = command.argv;
  if (command.signal?.aborted === true) return notStarted("aborted", `${name} was not started`);
  let child: ChildProcess;
  try {
    child = spawn(name, args, {
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
      ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
      env: { ...process.env, ...command.environment },
    });
  } catch (thrown) {
    return notStarted("failed", `${name}: ${messageOf(thrown)}`);
  }
  if (!hasPipes(child)) {
    const [error] = await once(child, "error");
    return notStarted("failed", `${name}: ${messageOf(error)}`);
  }
  return await followProgram(command, asRunning(child, command));
}

/** Without file handles there is a process object that has none. */
const hasPipes = (child: ChildProcess): child is ChildProcessWithoutNullStreams =>
  child.stdin !== null && child.stdout !== null && child.stderr !== null;

function asRunning(child: ChildProcessWithoutNullStreams, command: HostCommand): RunningProgram {
  const end = Promise.withResolvers<ProgramEnd>();
  child.once("exit", (code, signal) => end.resolve({ ended: true, code: statusOf(code, signal) }));
  const closed = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      end.resolve(startFailure(error, command));
      resolve();
    });
    child.once("close", () => resolve());
  });
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    end: end.promise,
    closed,
    kill: () => killGroup(child),
    release: () => {
      for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.destroy();
      child.unref();
    },
  };
}

/** As a shell tells it: 128 and the signal's number. */
export const statusOf = (code: number | null, signal: string | null): number =>
  code ?? 128 + (Object.entries(constants.signals).find(([name]) => name === signal)?.[1] ?? 0);

/** A folder that does not exist is told with the same code as a program that does not, and never means the program. */
function startFailure(error: Error, { argv, cwd }: HostCommand): ProgramEnd {
  const missing = "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
  if (missing && (cwd === undefined || existsSync(cwd)))
    return { ended: false, why: "absent", message: `${argv[0]} is not installed` };
  const where = cwd === undefined ? "" : ` in ${cwd}`;
  return { ended: false, why: "failed", message: `${argv[0]}${where}: ${messageOf(error)}` };
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The group is gone already.
  }
}
