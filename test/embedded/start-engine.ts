import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, request } from "undici";
import type { Dispatcher } from "undici";
import type { TinyGgufOptions } from "../fakes/tiny-gguf.ts";
import { writeTinyGguf } from "../fakes/tiny-gguf.ts";

export const ENGINE_MAIN = join(import.meta.dirname, "../../src/embedded/main.ts");

export interface EngineOptions {
  readonly model?: TinyGgufOptions | string;
  readonly context?: number;
  readonly parallel?: number;
  readonly queue?: number;
  readonly extra?: readonly string[];
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests read deep into answers
  readonly json: any;
}

/** A real engine process on a Unix socket of its own, with a client. */
export class Engine {
  readonly process: ChildProcess;
  readonly folder: string;
  readonly socket: string;
  readonly agent: Agent;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  stdout = "";
  stderr = "";

  constructor(options: EngineOptions = {}) {
    this.folder = mkdtempSync(join(tmpdir(), "omni-engine-"));
    this.socket = join(this.folder, "engine.sock");
    const model =
      typeof options.model === "string"
        ? options.model
        : writeTinyGguf(join(this.folder, "tiny.gguf"), options.model);
    this.process = spawn(process.execPath, [ENGINE_MAIN, ...engineArguments(model, this.socket, options)], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.process.stdout?.on("data", (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.process.stderr?.on("data", (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.exited = new Promise((resolve) => {
      this.process.once("close", (code, signal) => resolve({ code, signal }));
    });
    this.agent = new Agent({ connect: { socketPath: this.socket }, connections: 64 });
  }

  async ready(): Promise<this> {
    for (let i = 0; i < 600; i++) {
      if (this.process.exitCode !== null) throw new Error(`the engine ended: ${this.stdout}${this.stderr}`);
      const health = await this.get("/health").catch(() => undefined);
      if (health?.status === 200) return this;
      await sleep(50);
    }
    throw new Error(`the engine did not become ready: ${this.stdout}${this.stderr}`);
  }

  get(path: string): Promise<Reply> {
    return this.#ask(path, { method: "GET" });
  }

  post(path: string, body: unknown, signal?: AbortSignal): Promise<Reply> {
    return this.#ask(path, {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  chat(body: Readonly<Record<string, unknown>>): Promise<Reply> {
    return this.post("/v1/chat/completions", { messages: [{ role: "user", content: "hello" }], ...body });
  }

  /** The events of a stream, `[DONE]` checked and left out. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests read deep into answers
  async stream(path: string, body: Readonly<Record<string, unknown>>): Promise<any[]> {
    const { statusCode, body: answer } = await this.open(path, { ...body, stream: true });
    const text = await answer.text();
    if (statusCode !== 200) throw new Error(`status ${statusCode}: ${text}`);
    const events = text.split("\n\n").filter((event) => event !== "");
    if (events.pop() !== "data: [DONE]")
      throw new Error(`the stream does not end with [DONE]: ${text.slice(-200)}`);
    return events.map((event): unknown => JSON.parse(event.replace(/^data: /, "")));
  }

  open(path: string, body: unknown): Promise<Dispatcher.ResponseData> {
    return request(`http://engine${path}`, {
      method: "POST",
      body: JSON.stringify(body),
      dispatcher: this.agent,
    });
  }

  async stop(): Promise<void> {
    await this.agent.destroy();
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill("SIGKILL");
    await this.exited;
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #ask(path: string, options: Omit<Dispatcher.RequestOptions, "path" | "origin">): Promise<Reply> {
    const { statusCode, headers, body } = await request(`http://engine${path}`, {
      ...options,
      dispatcher: this.agent,
    });
    return { status: statusCode, headers, json: await body.json() };
  }
}

export function engineArguments(model: string, socket: string, options: EngineOptions = {}): string[] {
  const { context = 1024, parallel = 4, queue = 16, extra = [] } = options;
  const numbers = `--threads 1 --context ${context} --parallel ${parallel} --queue ${queue} --alias tiny`;
  return numbers.split(" ").concat("--model", model, "--socket", socket, extra);
}

/** Waits until `condition` holds; fails after ten seconds. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (await condition()) return;
    await sleep(20);
  }
  throw new Error(`timed out waiting until ${what}`);
}
