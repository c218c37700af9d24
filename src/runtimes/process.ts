import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Address } from "../core/index.ts";
import { OmniError, messageOf } from "../core/index.ts";
import type { LaunchSpec } from "../engines/engine.ts";
import { processEnvironment } from "./process-environment.ts";
import { UNIT_MARK } from "./process-identity.ts";
import { ProcessUnit } from "./process-unit.ts";
import type { LogLimits } from "./rotating-log.ts";
import { LOG_LIMITS, RotatingLog } from "./rotating-log.ts";
import type { Orphan, Runtime, Unit } from "./runtime.ts";
import { openSocketFolder, socketName } from "./socket-folder.ts";
import { UnitRecords } from "./unit-records.ts";

export interface ProcessRuntimeOptions {
  /** Folder of this node alone: logs, sockets and the record of what was started live in it. */
  readonly stateFolder: string;
  readonly logLimits?: LogLimits;
}

/** Runs engines as child processes of this one. Throws when the state folder cannot be written. */
export function createProcessRuntime(options: ProcessRuntimeOptions): Runtime {
  const { stateFolder, logLimits = LOG_LIMITS } = options;
  const logs = join(stateFolder, "logs");
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  const records = new UnitRecords(join(stateFolder, "units"));
  let sockets: string | undefined;

  return {
    name: "process",

    sweep: (): Promise<readonly Orphan[]> => records.sweep(),

    async allocate(service: string): Promise<Address> {
      sockets ??= openSocketFolder(stateFolder);
      if (sockets === undefined) return { kind: "tcp", host: "127.0.0.1", port: await freePort() };
      const path = join(sockets, socketName(service));
      rmSync(path, { force: true });
      return { kind: "unix", path };
    },

    async start(launch: LaunchSpec): Promise<Unit> {
      const unit = randomUUID();
      const child = await spawnEngine(launch, unit);
      const pid = child.pid ?? 0;
      const log = new RotatingLog(join(logs, `${socketName(launch.service).slice(0, -5)}.log`), logLimits);
      const running = new ProcessUnit(child, pid, unit, log);
      // On a full disk the record is missing, and the life line alone covers this engine.
      await records.add(unit, launch.service, pid).catch(() => {});
      void running.exited.then(() => records.remove(unit));
      return running;
    },

    close(): Promise<void> {
      if (sockets !== undefined) rmSync(sockets, { recursive: true, force: true });
      sockets = undefined;
      return Promise.resolve();
    },
  };
}

/** Codes of `spawn` that no repetition mends. */
const NO_BINARY: ReadonlySet<string> = new Set(["ENOENT", "EACCES", "ENOTDIR", "ENOEXEC", "ELOOP"]);

function spawnEngine(launch: LaunchSpec, unit: string): Promise<ChildProcess> {
  const [program, ...args] = launch.command;
  return new Promise((resolve, reject) => {
    const refuse = (error: unknown): void => {
      const reason = error instanceof Error && "code" in error ? String(error.code) : "";
      const code = NO_BINARY.has(reason) ? "engine.no-binary" : "engine.not-started";
      reject(
        new OmniError(code, `${launch.service}: ${program} cannot be started: ${messageOf(error)}.`, {
          cause: error,
        }),
      );
    };
    try {
      const child = spawn(program, args, {
        // stdin stays open and silent: its end of file tells the engine that this process is gone.
        stdio: ["pipe", "pipe", "pipe"],
        detached: process.platform !== "win32",
        windowsHide: true,
        env: processEnvironment(process.env, { ...launch.environment, [UNIT_MARK]: unit }),
      });
      child.once("error", refuse);
      child.once("spawn", () => resolve(child));
    } catch (error) {
      refuse(error);
    }
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const bound = probe.address();
      const port = typeof bound === "object" && bound !== null ? bound.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
