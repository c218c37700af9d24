import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { LocalAddress } from "../../src/core/index.ts";
import { GIB } from "../../src/core/index.ts";
import type { ProcessExit } from "../../src/engines/engine.ts";
import { compileCache } from "../../src/simulation/compile-cache.ts";
import type { Board, SimulatedEngineSettings } from "../../src/simulation/index.ts";
import { createBoard } from "../../src/simulation/index.ts";

const MAIN = fileURLToPath(new URL("../../src/simulation/engine/main.ts", import.meta.url));

export const CARD = "GPU-00000000-0000-4000-8000-000000000001";
export const SECOND_CARD = "GPU-00000000-0000-4000-8000-000000000002";

/** A board of two cards of 32 GiB, of which programs see 31, in a folder of its own that `close` removes. */
export function testBoard(options: { readonly releaseDelay?: number; readonly hostMemory?: number } = {}): {
  readonly board: Board;
  close(): void;
} {
  const folder = mkdtempSync(join(tmpdir(), "omni-sim-"));
  const card = {
    name: "NVIDIA GeForce RTX 5090",
    memoryTotal: 32 * GIB,
    reserved: GIB,
    computeCapability: "12.0",
  };
  const cards = [
    { ...card, uuid: CARD, index: 0, pci: "0000:01:00.0" },
    { ...card, uuid: SECOND_CARD, index: 1, pci: "0000:02:00.0" },
  ];
  const board = createBoard({ folder, cards, ...options });
  return { board, close: () => rmSync(folder, { recursive: true, force: true }) };
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  /** The connection ended before the answer did. */
  readonly cut: boolean;
}

/** Sends a request; rejects when nobody listens or the connection breaks before an answer begins. */
export function send(
  address: LocalAddress,
  method: string,
  path: string,
  body?: unknown,
  headers = {},
): Promise<Answer> {
  const where =
    address.kind === "unix" ? { socketPath: address.path } : { host: address.host, port: address.port };
  return new Promise((resolve, reject) => {
    const sent = request({ ...where, method, path, agent: false, headers }, (response) => {
      const chunks: Buffer[] = [];
      const answer = (cut: boolean): void =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString(), cut });
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => answer(!response.complete)).on("error", () => answer(true));
    });
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

export interface SimulatedEngine {
  readonly address: LocalAddress;
  readonly pid: number;
  readonly lines: readonly string[];
  readonly exited: Promise<ProcessExit>;
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Waits until a path answers 200. */
  ready(path?: string): Promise<void>;
  signal(signal: NodeJS.Signals): void;
}

export const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  "llama.cpp": [
    "llama-server",
    "--port",
    "1",
    "--model",
    "/m/a.gguf",
    "--alias",
    "brain",
    "--metrics",
    "--slots",
    "--log-verbosity",
    "4",
  ],
  vllm: ["vllm", "serve", "/m/a", "--served-model-name", "brain", "--gpu-memory-utilization", "0.6"],
  sglang: [
    "python3",
    "-m",
    "sglang.launch_server",
    "--model-path",
    "/m/a",
    "--served-model-name",
    "brain",
    "--enable-metrics",
  ],
  ktransformers: [
    "python3",
    "-m",
    "sglang.launch_server",
    "--model-path",
    "/m/a",
    "--served-model-name",
    "brain",
    "--kt-method",
    "LLAMAFILE",
    "--enable-metrics",
  ],
  "triton-vllm": ["tritonserver", "--model-repository=/repository", "--load-model=brain"],
  comfyui: ["python3", "main.py", "--listen", "127.0.0.1"],
  openai: ["remote"],
};

/** One card: 10 GiB of weights, 4 of cache, 1 to compute and half of one for CUDA. */
export const MEMORY = { [CARD]: { weights: 10 * GIB, kvCache: 4 * GIB, compute: GIB, overhead: GIB / 2 } };

/** Starts a simulated engine on a socket of the board's folder. The caller kills it. */
export function startSimulated(
  board: Board,
  kind: string,
  settings: Partial<SimulatedEngineSettings> = {},
  command: readonly string[] = COMMANDS[kind] ?? [],
  environment: Readonly<Record<string, string>> = {},
): SimulatedEngine {
  const service = settings.service ?? "brain";
  const address = settings.address ?? { kind: "unix", path: join(board.folder, `${service}.sock`) };
  const all: SimulatedEngineSettings = {
    kind,
    service,
    model: "brain",
    address,
    contextTokens: 4096,
    parallel: 2,
    memory: MEMORY,
    kvBytesPerToken: 131_072,
    memoryFraction: 0.6,
    loadTime: 60,
    tokensPerSecond: 400,
    promptTokensPerSecond: 100_000,
    board: board.folder,
    ...settings,
  };
  const child = spawn(process.execPath, [MAIN, "--simulate", JSON.stringify(all), "--", ...command], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...compileCache(), ...environment },
  });
  running.add(child);
  let text = "";
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const exited = new Promise<ProcessExit>((resolve) => {
    child.once("close", (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
    });
  });
  return {
    address,
    pid: child.pid ?? 0,
    get lines() {
      return text.split("\n").filter((line) => line !== "");
    },
    exited,
    send: (method, path, body, headers) => send(address, method, path, body, headers),
    async ready(path = "/health") {
      const until = performance.now() + 20_000;
      while ((await send(address, "GET", path).catch(() => undefined))?.status !== 200) {
        if (child.exitCode !== null || performance.now() > until) throw new Error(`not ready: ${text}`);
        await sleep(10);
      }
    },
    signal: (signal) => void child.kill(signal),
  };
}

/** For `expect.poll`: tests share the machine with others. */
export const PATIENT = { timeout: 15_000, interval: 10 } as const;

const running = new Set<ReturnType<typeof spawn>>();

/** Ends what a test left running. */
export async function endAll(): Promise<void> {
  const ended = [...running].map((child) => once(child, "close"));
  for (const child of running) child.kill("SIGKILL");
  await Promise.all(ended);
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** The events of a stream, in order; `[DONE]` as it is. */
export const eventsOf = (body: string): readonly string[] =>
  body
    .split("\n\n")
    .filter((event) => event.startsWith("data: "))
    .map((event) => event.slice("data: ".length));

/** The text that a stream of either endpoint brought: what stands in `content` or `text` of each event. */
export const streamedText = (body: string): string =>
  eventsOf(body)
    .map((event) => /"(?:content|text)":"([^"]*)"/.exec(event)?.[1] ?? "")
    .join("");
