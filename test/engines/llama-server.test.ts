import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findEngineStarter } from "../../src/engines/index.ts";
import type { EngineOptions, EnginePlace } from "../../src/engines/start.ts";
import { planned, SETTINGS } from "../../src/engines/start/planned-service.fixture.ts";

/** A llama-server of this machine: the environment's, or the one on PATH. */
const BINARY = process.env["OMNI_LLAMA_SERVER"] ?? onPath();
const MODEL = fileURLToPath(new URL("../../demo/omni-demo.gguf", import.meta.url));

function onPath(): string | undefined {
  try {
    return execFileSync("/bin/sh", ["-c", "command -v llama-server"], { encoding: "utf8" }).trim();
  } catch {
    return undefined;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

const settings = {
  ...SETTINGS,
  contextTokens: 512,
  parallel: 2,
  kvKeyType: "q8_0",
  kvValueType: "q8_0",
  gpuLayers: 0,
  batchTokens: 256,
  microBatchTokens: 128,
  threads: 1,
} as const;

const CASES: readonly (readonly [string, Partial<typeof settings>, Partial<EngineOptions>])[] = [
  ["a cache a request", {}, { weights: "mmap" }],
  ["one cache for all, kept prompts, a draft", {}, { weights: "read", promptCache: 2 ** 25, draftTokens: 3 }],
  ["vectors", {}, { weights: "auto", task: "embeddings" }],
];

test.skipIf(BINARY === undefined || BINARY === "").each(CASES)(
  "a real llama-server takes every flag: %s (needs llama-server on PATH or in OMNI_LLAMA_SERVER)",
  { timeout: 120_000 },
  async (_name, more, options) => {
    const folder = await mkdtemp(join(tmpdir(), "omni-llama-"));
    await symlink(MODEL, join(folder, "model.gguf"));
    const port = await freePort();
    const place: EnginePlace = {
      runtime: "process",
      host: "127.0.0.1",
      port,
      modelPath: folder,
      ...(options.draftTokens === undefined ? {} : { draftPath: MODEL }),
    };
    const service = planned(
      "llama.cpp",
      { ...settings, ...more, kvUnified: options.promptCache !== undefined },
      { devices: ["cpu"] },
    );
    const start = findEngineStarter("llama.cpp")?.start(
      service,
      { servedName: "demo", binary: BINARY ?? "", weights: "auto", ...options },
      place,
    );
    const [program = "", ...words] = start?.command ?? [];
    const child = spawn(program, words, {
      env: { ...process.env, ...start?.environment },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    const ended = once(child, "exit");
    try {
      const url = `http://127.0.0.1:${port}`;
      await ready(`${url}${start?.readyPath ?? ""}`, child, () => said);
      expect((await fetch(`${url}${start?.livePath ?? ""}`)).status).toBe(200);
      expect(await (await fetch(`${url}${start?.metrics?.path ?? ""}`)).text()).toContain("llamacpp:");
      expect(await (await fetch(`${url}/props`)).json()).toMatchObject({
        total_slots: 2,
        default_generation_settings: { n_ctx: 512 },
      });
      expect(await (await fetch(`${url}/v1/models`)).json()).toMatchObject({ data: [{ id: "demo" }] });
      const path = options.task === "embeddings" ? "/embedding" : "/v1/completions";
      const body = JSON.stringify({ model: "demo", content: "Hello", prompt: "Hello", max_tokens: 8 });
      expect((await fetch(`${url}${path}`, { method: "POST", body })).status).toBe(200);
    } finally {
      child.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true });
    }
  },
);

test.skipIf(BINARY === undefined || BINARY === "")(
  "a real llama-server's last words are understood (needs llama-server on PATH or in OMNI_LLAMA_SERVER)",
  { timeout: 60_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "omni-llama-"));
    try {
      const whole = await readFile(MODEL);
      const ends = async (name: string, content: Uint8Array, more: readonly string[]): Promise<unknown> => {
        const modelPath = join(folder, name);
        await writeFile(modelPath, content);
        const service = planned("llama.cpp", settings, { devices: ["cpu"], extraArguments: more });
        const options: EngineOptions = { servedName: "demo", binary: BINARY ?? "", weights: "auto" };
        const place: EnginePlace = {
          runtime: "process",
          host: "127.0.0.1",
          port: await freePort(),
          modelPath,
        };
        const starter = findEngineStarter("llama.cpp");
        const [program = "", ...words] = starter?.start(service, options, place).command ?? [];
        const { status, signal, stderr } = spawnSync(program, words, { encoding: "utf8" });
        return starter?.classifyExit({ code: status, signal }, stderr.split("\n"));
      };
      expect(await ends("cut.gguf", whole.subarray(0, 200_000), [])).toMatchObject({
        code: "model.truncated",
      });
      expect(await ends("text.gguf", Buffer.from("hello"), [])).toMatchObject({ code: "model.not-gguf" });
      expect(await ends("whole.gguf", whole, ["--bogus"])).toMatchObject({
        code: "engine.bad-argument",
        recoverable: false,
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

async function ready(url: string, child: ReturnType<typeof spawn>, said: () => string): Promise<void> {
  for (let round = 0; round < 600; round++) {
    if (child.exitCode !== null) throw new Error(`llama-server ended with ${child.exitCode}: ${said()}`);
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`llama-server did not become ready: ${said()}`);
}
