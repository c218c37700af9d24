import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import type { Address, Diagnostic } from "../../src/core/index.ts";
import type { Backends, RouteView, ServiceState, ServiceView } from "../../src/supervisor/backends.ts";

const ENGINE = fileURLToPath(new URL("fake-engine.ts", import.meta.url));

export interface FakeService {
  readonly name: string;
  readonly model?: string;
  /** Default unix. */
  readonly transport?: "unix" | "tcp";
  readonly environment?: Readonly<Record<string, string>>;
  /** Milliseconds after a death before it is started again; without it, it stays down. */
  readonly restartAfter?: number;
  /** False leaves it stopped until `start` is called. */
  readonly start?: boolean;
}

interface Running {
  readonly service: FakeService;
  state: ServiceState;
  reason?: string;
  progress?: number;
  since: number;
  restarts: number;
  child?: ChildProcess;
  address?: Address;
}

/** `Backends` over fake engines in processes of their own: a small supervisor without policy. */
export class FakeBackends implements Backends {
  readonly reports: { service: string; why: string }[] = [];
  readonly #running = new Map<string, Running>();
  readonly #routes: readonly RouteView[];
  readonly #folder = mkdtempSync(join(tmpdir(), "omni-fake-"));
  readonly #waiters = new Set<() => void>();
  #closed = false;

  constructor(services: readonly FakeService[], routes: readonly RouteView[] = []) {
    this.#routes = routes;
    for (const service of services) {
      this.#running.set(service.name, { service, state: "stopped", since: Date.now(), restarts: 0 });
    }
  }

  /** Starts every service that is not kept stopped and resolves when they listen. */
  async open(): Promise<this> {
    for (const { service } of this.#running.values())
      if (service.start !== false) await this.start(service.name);
    return this;
  }

  async start(name: string): Promise<void> {
    const running = this.#of(name);
    const { transport = "unix", environment = {} } = running.service;
    const path = join(this.#folder, `${name}.sock`);
    const where = transport === "unix" ? `unix:${path}` : "tcp:0";
    this.#set(running, "starting");
    const child = spawn(process.execPath, [ENGINE, where], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, FAKE_MODEL: name, ...environment },
    });
    running.child = child;
    child.once("exit", () => this.#exited(running, child));
    const port = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", () => reject(new Error(`fake engine ${name} ended before it listened`)));
      child.stdout?.once("data", (line: Buffer) => resolve(Number(String(line).split(" ")[1])));
    });
    running.address =
      transport === "unix" ? { kind: "unix", path } : { kind: "tcp", host: "127.0.0.1", port };
    this.#set(running, "ready");
  }

  /** Sets a state by hand, as a supervisor that watches would. */
  set(name: string, state: ServiceState, details: { reason?: string; progress?: number } = {}): void {
    const running = this.#of(name);
    Object.assign(running, details);
    this.#set(running, state);
  }

  /** Kills the engine as an out-of-memory killer would. */
  kill(name: string): void {
    this.#of(name).child?.kill("SIGKILL");
  }

  pid(name: string): number {
    return this.#of(name).child?.pid ?? -1;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const children = [...this.#running.values()].flatMap(({ child }) => child ?? []);
    await Promise.all(
      children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exit = new Promise((resolve) => child.once("exit", resolve));
        child.kill("SIGKILL");
        await exit;
      }),
    );
    rmSync(this.#folder, { recursive: true, force: true });
  }

  services(): readonly ServiceView[] {
    return [...this.#running.values()].map(
      ({ service, state, reason, progress, child, since, restarts }) => ({
        name: service.name,
        engine: "fake",
        model: service.model ?? `${service.name}.gguf`,
        state,
        restarts,
        since,
        contextTokens: 4096,
        parallel: 4,
        ...(reason === undefined ? {} : { reason }),
        ...(progress === undefined ? {} : { progress }),
        ...(child?.pid === undefined ? {} : { pid: child.pid }),
      }),
    );
  }

  routes(): readonly RouteView[] {
    return this.#routes;
  }

  address(service: string): Address | undefined {
    const running = this.#running.get(service);
    return running?.state === "ready" ? running.address : undefined;
  }

  async whenReady(service: string, timeout: number, signal: AbortSignal): Promise<boolean> {
    const end = Date.now() + timeout;
    for (;;) {
      const running = this.#of(service);
      if (running.state === "ready") return true;
      if (running.state === "failed" || signal.aborted || Date.now() >= end) return false;
      await this.#change(Math.min(end - Date.now(), 200));
    }
  }

  reportBroken(service: string, why: string): void {
    this.reports.push({ service, why });
  }

  diagnostics(): readonly Diagnostic[] {
    return [];
  }

  #of(name: string): Running {
    const running = this.#running.get(name);
    if (running === undefined) throw new Error(`no fake service ${name}`);
    return running;
  }

  #set(running: Running, state: ServiceState): void {
    running.state = state;
    running.since = Date.now();
    for (const wake of this.#waiters) wake();
  }

  #change(timeout: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeout);
      this.#waiters.add(wake);
    });
  }

  #exited(running: Running, child: ChildProcess): void {
    if (this.#closed || running.child !== child) return;
    const after = running.service.restartAfter;
    if (after === undefined) {
      running.reason = "its process ended";
      this.#set(running, "failed");
      return;
    }
    this.#set(running, "backing-off");
    running.restarts++;
    void sleep(after).then(() => (this.#closed ? undefined : this.start(running.service.name)));
  }
}
