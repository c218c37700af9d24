import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { EngineDriver, EngineRequest, Health, ProbeTarget } from "../../src/engines/engine.ts";
import { findEngineDriver, findEngineStarter } from "../../src/engines/index.ts";
import { planned, SETTINGS } from "../../src/engines/start/planned-service.fixture.ts";
import { writeTinyGguf } from "../fakes/tiny-gguf.ts";

/** A llama-server of this machine: the environment's, or the one on PATH. */
const BINARY = process.env["OMNI_LLAMA_SERVER"] ?? onPath();
const CONTEXT = 512;
const PARALLEL = 2;

function onPath(): string {
  try {
    return execFileSync("/bin/sh", ["-c", "command -v llama-server"], { encoding: "utf8" }).trim();
  } catch {
    return "";
  }
}

function llamaCpp(): EngineDriver {
  const driver = findEngineDriver("llama.cpp");
  if (driver === undefined) throw new Error("There is no driver for llama.cpp.");
  return driver;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

interface Running {
  readonly command: readonly string[];
  /** What it has said so far. */
  lines(): readonly string[];
  ask(request: EngineRequest): Promise<{ readonly status: number; readonly body: string }>;
}

/** Starts a tiny model as the starter and the driver say, and ends it in any case. */
async function withServer(
  task: ProbeTarget["task"],
  use: (server: Running, health: readonly Health[]) => Promise<void>,
): Promise<void> {
  const driver = llamaCpp();
  const folder = await mkdtemp(join(tmpdir(), "omni-driver-"));
  // Vectors of a text want a rule for making one of those of its tokens: 1 is the mean.
  const pooling = task === "embeddings" ? { metadata: { "llama.pooling_type": 1 } } : {};
  const modelPath = writeTinyGguf(join(folder, "tiny.gguf"), pooling);
  const port = await freePort();
  const start = findEngineStarter("llama.cpp")?.start(
    planned(
      "llama.cpp",
      {
        ...SETTINGS,
        contextTokens: CONTEXT,
        parallel: PARALLEL,
        threads: 1,
        gpuLayers: 0,
        flashAttention: false,
      },
      { devices: ["cpu"] },
    ),
    { servedName: "brain", binary: BINARY, weights: "auto", ...(task === undefined ? {} : { task }) },
    { runtime: "process", host: "127.0.0.1", port, modelPath },
  );
  const command = start?.command ?? [BINARY];
  const child = spawn(command[0] ?? "", command.slice(1), {
    env: { ...process.env, ...start?.environment, ...driver.watchEnvironment },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const ended = once(child, "exit");
  const server: Running = {
    command,
    lines: () => said.split("\n"),
    ask: async ({ method, path, body }) => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        ...(body === undefined ? {} : { body, headers: { "content-type": "application/json" } }),
      });
      return { status: answer.status, body: await answer.text() };
    },
  };
  try {
    await use(server, await untilReady(server, () => child.exitCode));
  } finally {
    child.kill("SIGKILL");
    await ended;
    await rm(folder, { recursive: true });
  }
}

/** Everything that it said of its health on the way; refused connections are silent. */
async function untilReady(server: Running, exitCode: () => number | null): Promise<readonly Health[]> {
  const driver = llamaCpp();
  const seen: Health[] = [];
  for (let round = 0; round < 600; round++) {
    if (exitCode() !== null) throw new Error(`llama-server ended: ${server.lines().join("\n")}`);
    const answer = await server.ask({ method: "GET", path: driver.healthPath }).catch(() => undefined);
    if (answer !== undefined) {
      seen.push(driver.readHealth(answer.status, answer.body));
      if (seen.at(-1)?.state === "ready") return seen;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`llama-server did not become ready: ${server.lines().join("\n")}`);
}

const NEEDS = "(needs llama-server on PATH or in OMNI_LLAMA_SERVER)";

test.skipIf(BINARY === "")(
  `a real llama-server is understood: health, a token, figures, what it took ${NEEDS}`,
  { timeout: 60_000 },
  async () => {
    const driver = llamaCpp();
    await withServer(undefined, async (server, health) => {
      expect(
        health.map(({ state }) => state).filter((state) => state !== "loading" && state !== "ready"),
      ).toEqual([]);
      const { probe, load } = driver;
      if (probe === undefined || load === undefined) throw new Error("It has neither probe nor figures.");

      const before = load.read((await server.ask(load.request)).body);
      expect(before).toMatchObject({ running: 0, waiting: 0, progress: 0 });
      const answer = await server.ask(probe.request({ servedName: "brain" }));
      expect(probe.fault(answer.status, answer.body)).toBeUndefined();
      const after = load.read((await server.ask(load.request)).body);
      expect(after).toMatchObject({ running: 0, waiting: 0, generatedTokens: 1 });
      expect(after.promptTokens).toBeGreaterThan(0);
      expect(after.progress).toBeGreaterThan(before.progress ?? 0);

      const wrong = await server.ask({ ...probe.request({ servedName: "brain", task: "embeddings" }) });
      expect(probe.fault(wrong.status, wrong.body)).toContain("does not support embeddings");

      const { devices, kvTokens, loadTime } = driver.readTook(server.lines());
      expect(devices.map(({ device }) => device)).toEqual(["CPU"]);
      // 115 392 weights of four bytes; two layers with keys and values of 64 elements of two bytes a token.
      expect(devices[0]?.weights).toBeGreaterThan(0.4 * 2 ** 20);
      expect(devices[0]?.weights).toBeLessThan(0.5 * 2 ** 20);
      expect(devices[0]?.kvCache).toBe(CONTEXT * PARALLEL * 2 * 2 * 64 * 2);
      expect(devices[0]?.compute).toBeGreaterThan(0);
      expect(kvTokens).toBe(CONTEXT * PARALLEL);
      expect(loadTime).toBeGreaterThan(0);
      expect(loadTime).toBeLessThan(60_000);
      expect(driver.onProcessorInstead(server.lines())).toContain("main memory");
      expect(
        server
          .lines()
          .map((line) => driver.classifyLine(line))
          .filter(Boolean),
      ).toEqual([]);
    });
  },
);

test.skipIf(BINARY === "").each(["embeddings", "rerank"] as const)(
  `a real llama-server answers the smallest request for %s ${NEEDS}`,
  { timeout: 60_000 },
  async (task) => {
    const { probe } = llamaCpp();
    await withServer(task, async (server) => {
      const answer = await server.ask(
        probe?.request({ servedName: "brain", task }) ?? { method: "GET", path: "/" },
      );
      expect(probe?.fault(answer.status, answer.body)).toBeUndefined();
    });
  },
);

test.skipIf(BINARY === "")(
  `a real llama-server tells its version and its flags, and the starter says none that it lacks ${NEEDS}`,
  { timeout: 60_000 },
  () => {
    const { program } = llamaCpp();
    const told = (words: readonly string[] = []): string => {
      const output = execFileSync("/bin/sh", ["-c", 'exec "$0" "$@" 2>&1', BINARY, ...words], {
        encoding: "utf8",
      });
      return output;
    };
    const version = program?.readVersion(told(program.versionArguments));
    expect(version).toMatch(/^(?:b\d+|\d+\.\d+\.\d+)/);
    const help = told(program?.helpArguments);
    const start = findEngineStarter("llama.cpp")?.start(
      planned("llama.cpp", SETTINGS, { engine: { name: "l", kind: "llama.cpp", version: version ?? "" } }),
      { servedName: "brain", binary: BINARY, weights: "mmap", promptCache: 2 ** 28 },
      { runtime: "process", host: "127.0.0.1", port: 1, modelPath: "/m.gguf" },
    );
    expect(program?.unknownFlags(help, start?.command ?? [])).toEqual([]);
    expect(program?.unknownFlags(help, [BINARY, "--flash-atn", "on"])).toEqual([
      { flag: "--flash-atn", meant: "--flash-attn" },
    ]);
  },
);
