import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { secretIn } from "./judge.ts";

const CHILD = fileURLToPath(new URL("../fuzz-gateway-child.ts", import.meta.url));

const MOST_FAULTS = 100;

/** How the gateway's process stands. Bytes and milliseconds. */
export interface NodeState {
  /** What has to be zero when nobody asks. */
  readonly left: Readonly<Record<string, number>>;
  readonly sockets: number;
  readonly timers: number;
  readonly heap: number;
  readonly rss: number;
  readonly cpu: number;
  readonly tried: number;
  readonly retried: number;
  readonly continued: number;
}

/** A gateway in a process of its own, over engines at these ports. */
export class FuzzedGateway {
  /** Crashes, unhandled rejections, warnings and what was written to standard error, as they came. */
  readonly faults: readonly string[];
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, folder: string, port: number, faults: readonly string[]) {
    this.#child = child;
    this.#folder = folder;
    this.port = port;
    this.faults = faults;
  }

  static async open(ports: Readonly<Record<string, number>>): Promise<FuzzedGateway> {
    const folder = mkdtempSync(join(tmpdir(), "omni-fuzz-"));
    const child = fork(CHILD, [folder, JSON.stringify(ports)], {
      execArgv: ["--expose-gc", "--max-old-space-size=512"],
      stdio: ["ignore", "inherit", "pipe", "ipc"],
    });
    const faults: string[] = [];
    const heard = (fault: string): void => {
      if (faults.length < MOST_FAULTS) faults.push(fault.slice(0, 3_000));
    };
    child.stderr?.on("data", (text: Buffer) => heard(`standard error: ${text.toString()}`));
    const port = await new Promise<number>((resolve, reject) => {
      child.once("exit", (code, signal) => {
        if (code !== 0) heard(`the gateway ended: ${signal ?? code}`);
        reject(new Error(`the gateway did not start: ${faults.join("; ")}`));
      });
      child.on("message", (told: object) => {
        if ("fault" in told) heard(String(told.fault));
        if ("url" in told) resolve(Number(new URL(String(told.url)).port));
      });
    });
    return new FuzzedGateway(child, folder, port, faults);
  }

  /** Collects its garbage and tells how it stands; rejects when it does not answer. */
  async state(): Promise<NodeState> {
    const told = new Promise<NodeState>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("the gateway does not answer its parent")), 30_000);
      const listen = (message: { readonly state?: NodeState }): void => {
        if (message.state === undefined) return;
        clearTimeout(timer);
        this.#child.off("message", listen);
        resolve(message.state);
      };
      this.#child.on("message", listen);
    });
    this.#child.send("state");
    return told;
  }

  /** A secret in the access log. */
  leakedToLog(): string | undefined {
    return readdirSync(this.#folder)
      .filter((name) => name.startsWith("access.log"))
      .map((name) => secretIn(readFileSync(join(this.#folder, name), "latin1")))
      .find((secret) => secret !== undefined);
  }

  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exit = once(this.#child, "exit");
      if (this.#child.connected) this.#child.send("close");
      const timer = setTimeout(() => this.#child.kill("SIGKILL"), 10_000);
      await exit;
      clearTimeout(timer);
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
