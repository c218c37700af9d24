import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { OmniError, messageOf } from "../core/index.ts";
import type { LaunchSpec } from "../engines/engine.ts";
import { processEnvironment } from "./process-environment.ts";
import { UNIT_MARK } from "./process-identity.ts";

/** Codes of `spawn` that no repetition mends. */
const NO_BINARY: ReadonlySet<string> = new Set(["ENOENT", "EACCES", "ENOTDIR", "ENOEXEC", "ELOOP"]);

/** Where a process's standard input comes from and its output goes to. Descriptors are closed here. */
export interface ProcessStreams {
  readonly input: number | "pipe";
  readonly output: number | "ignore";
}

/** Starts `command` for a launch, as leader of a group of its own that carries the unit's mark. Throws like `Runtime.start`. */
export async function spawnEngine(
  launch: LaunchSpec,
  command: readonly string[],
  unit: string,
  { input, output }: ProcessStreams,
): Promise<{ readonly child: ChildProcess; readonly pid: number }> {
  const [program = "", ...words] = command;
  try {
    const child = spawn(program, words, {
      stdio: [input, output, output],
      detached: process.platform !== "win32",
      windowsHide: true,
      env: processEnvironment(process.env, { ...launch.environment, [UNIT_MARK]: unit }),
    });
    await new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("spawn", resolve);
    });
    child.stdin?.on("error", () => {});
    return { child, pid: child.pid ?? 0 };
  } catch (error) {
    throw notStarted(launch.service, program, error);
  } finally {
    for (const end of [input, output]) if (typeof end === "number") closeSync(end);
  }
}

function notStarted(service: string, program: string, error: unknown): OmniError {
  const reason = error instanceof Error && "code" in error ? String(error.code) : "";
  const code = NO_BINARY.has(reason) ? "engine.no-binary" : "engine.not-started";
  return new OmniError(code, `${service}: ${program} cannot be started: ${messageOf(error)}.`, {
    cause: error,
  });
}
