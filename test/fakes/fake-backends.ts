import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Client } from "undici";

import type { Address, Diagnostic } from "../../src/core/index.ts";
import type {
  Backends,
  Diversion,
  Lease,
  RouteView,
  ServiceState,
  ServiceView,
} from "../../src/supervisor/backends.ts";

const ENGINE = fileURLToPath(new URL("fake-engine.ts", import.meta.url));

export interface FakeService {
  readonly name: string;
  readonly model?: string;
  /** Default unix. */
  readonly transport?: "unix" | "tcp";
  readonly environment?: Readonly<Record<string, string>>;
  /** Milliseconds after a death before it is started again; without it, it stays down. */
  readonly restartAfter?: number;
  /** Requests that it answers at the same time. */
  readonly parallel?: number;
  /** Kind of the catalog whose server it is taken for; one of OpenAI's dialect when absent. */
  readonly kind?: string;
  /** Another program in place of the fake engine, started in the same way. */
  readonly program?: string;
  /** False leaves it stopped until `start` is called. */
  readonly start?: boolean;
}

/** What a fake engine saw, as it tells itself. */
export interface Seen {
  readonly requests: number;
  readonly aborted: number;
  readonly events: number;
  readonly lastHeaders: Readonly<Record<string, string>>;
  /** The first 10 000 characters. */
  readonly lastBody: string;
  readonly lastLength: number;
}

/** Asks a fake engine directly, past the gateway. */
export async function lookInto(backends: FakeBackends, service: string): Promise<Seen> {
  const { body } = await direct(backends, service, "/seen");
  return JSON.parse(body.toString());
}

/** A request to a fake engine past the gateway; `body` makes it a POST. */
export async function direct(
  backends: FakeBackends,
  service: string,
  path: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly body: Buffer }> {
  const address = backends.address(service);
  if (address === undefined) throw new Error(`${service} has no address`);
  const client =
    address.kind === "unix"
      ? new Client("http://localhost", { socketPath: address.path })
      : new Client(address.kind === "url" ? address.origin : `http://${address.host}:${address.port}`);
  try {
    const answer = await client.request(
      body === undefined ? { path, method: "GET" } : { path, method: "POST", body: JSON.stringify(body) },
    );
    return { status: answer.statusCode, body: Buffer.from(await answer.body.arrayBuffer()) };
  } finally {
    await client.close();
  }
}

interface Running {
  readonly service: FakeService;
  state: ServiceState;
  reason?: string;
  progress?: number;
  eta?: number;
  since: number;
  restarts: number;
  child?: ChildProcess;
  address?: Address;
}

/** `Backends` over fake engines in processes of their own: a small supervisor without policy. */
export class FakeBackends implements Backends {
  /** What a supervisor would do when a request saw a service break. */
  onReport: ((service: string) => void) | undefined;
  /** What a supervisor would do when a request waits. */
  onDemand: ((services: readonly string[]) => void) | undefined;
  readonly demands: (readonly string[])[] = [];
  withdrawn = 0;
  readonly diversions = new Map<string, Diversion>();
  readonly reports: { service: string; why: string }[] = [];
  readonly #running = new Map<string, Running>();
  readonly #leases = new Map<string, number>();
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
    const { transport = "unix", environment = {}, program = ENGINE } = running.service;
    const path = join(this.#folder, `${name}.sock`);
    const where = transport === "unix" ? `unix:${path}` : "tcp:0";
    this.#set(running, "starting");
    const child = spawn(process.execPath, [program, where], {
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
  set(
    name: string,
    state: ServiceState,
    details: { reason?: string; progress?: number; eta?: number } = {},
  ): void {
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
      ({ service, state, reason, progress, eta, child, since, restarts }) => ({
        name: service.name,
        engine: "fake",
        model: service.model ?? `${service.name}.gguf`,
        state,
        restarts,
        since,
        contextTokens: 4096,
        parallel: service.parallel ?? 64,
        ...(service.kind === undefined ? {} : { kind: service.kind }),
        ...(reason === undefined ? {} : { reason }),
        ...(progress === undefined ? {} : { progress }),
        ...(eta === undefined ? {} : { eta }),
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

  acquire(service: string): Lease | undefined {
    const address = this.address(service);
    if (address === undefined) return undefined;
    this.#leases.set(service, this.leased(service) + 1);
    let held = true;
    const { kind } = this.#of(service).service;
    return {
      address,
      engine: "fake",
      ...(kind === undefined ? {} : { kind }),
      release: () => {
        if (held) this.#leases.set(service, this.leased(service) - 1);
        held = false;
      },
    };
  }

  /** Leases held on a service now. */
  leased(service: string): number {
    return this.#leases.get(service) ?? 0;
  }

  demand(services: readonly string[]): () => void {
    this.demands.push(services);
    this.onDemand?.(services);
    return () => {
      this.withdrawn += 1;
    };
  }

  diversion(service: string): Diversion | undefined {
    return this.diversions.get(service);
  }

  async whenReady(service: string, timeout: number, signal: AbortSignal): Promise<boolean> {
    const end = Date.now() + timeout;
    for (;;) {
      const running = this.#of(service);
      if (running.state === "ready") return true;
      if (running.state === "failed" || signal.aborted || Date.now() >= end) return false;
      await this.#change(Math.min(end - Date.now(), 200), signal);
    }
  }

  reportBroken(service: string, why: string): void {
    this.reports.push({ service, why });
    this.onReport?.(service);
  }

  /** Services of which a request was answered 500. */
  readonly wrong: string[] = [];

  reportWrong(service: string): void {
    this.wrong.push(service);
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

  /** How many `whenReady` are waiting now. */
  get waiting(): number {
    return this.#waiters.size;
  }

  #change(timeout: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", wake);
        this.#waiters.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeout);
      this.#waiters.add(wake);
      signal.addEventListener("abort", wake, { once: true });
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
    sleep(after)
      .then(() => (this.#closed ? undefined : this.start(running.service.name)))
      .catch((thrown: unknown) => {
        running.reason = String(thrown);
      });
  }
}
