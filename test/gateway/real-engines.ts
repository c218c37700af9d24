import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../src/runtimes/free-port.ts";
import type { TinyGgufOptions } from "../fakes/tiny-gguf.ts";
import { writeTinyGguf } from "../fakes/tiny-gguf.ts";

const EMBEDDED_MAIN = join(import.meta.dirname, "../../src/embedded/main.ts");
export const DEMO_MODEL = join(import.meta.dirname, "../../demo/omni-demo.gguf");

/** A llama-server of this machine, the environment's or the one on PATH; empty when there is none. */
export const LLAMA_SERVER = process.env["OMNI_LLAMA_SERVER"] ?? onPath();

function onPath(): string {
  try {
    return execFileSync("/bin/sh", ["-c", "command -v llama-server"], { encoding: "utf8" }).trim();
  } catch {
    return "";
  }
}

export type RealKind = "embedded" | "llama.cpp";

/** A real engine process that listens on a port of this machine. */
export class RealEngine {
  readonly kind: RealKind;
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #folder: string;
  #output = "";

  private constructor(kind: RealKind, port: number, model: string | TinyGgufOptions) {
    this.kind = kind;
    this.url = `http://127.0.0.1:${port}`;
    this.#folder = mkdtempSync(join(tmpdir(), "omni-real-"));
    const file = typeof model === "string" ? model : writeTinyGguf(join(this.#folder, "tiny.gguf"), model);
    const [program, words] = command(kind, port, file);
    this.#process = spawn(program, words, { stdio: ["pipe", "pipe", "pipe"] });
    for (const stream of [this.#process.stdout, this.#process.stderr])
      stream?.on("data", (chunk: Buffer) => (this.#output = (this.#output + chunk.toString()).slice(-4000)));
  }

  /** Resolves when it serves; throws with its last words when it does not. */
  static async start(kind: RealKind, model: string | TinyGgufOptions): Promise<RealEngine> {
    const engine = new RealEngine(kind, await freePort(), model);
    for (let i = 0; i < 600 && engine.#process.exitCode === null; i++) {
      const answer = await fetch(`${engine.url}/health`).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.status === 200) return engine;
      await sleep(50);
    }
    await engine.stop();
    throw new Error(`${kind} did not become ready: ${engine.#output}`);
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.kill("SIGKILL");
      await once(this.#process, "close");
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function command(kind: RealKind, port: number, file: string): readonly [string, string[]] {
  const listen = ["--host", "127.0.0.1", "--port", String(port), "--model", file, "--alias", "real"];
  if (kind === "embedded") {
    return [
      process.execPath,
      [EMBEDDED_MAIN, ...listen, "--context", "512", "--parallel", "1", "--threads", "1"],
    ];
  }
  const size = ["--ctx-size", "512", "--parallel", "1", "--threads", "1", "--no-warmup", "--jinja"];
  return [LLAMA_SERVER, [...listen, ...size]];
}
