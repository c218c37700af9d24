import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { EngineOptions } from "./start-engine.ts";
import { Engine, ENGINE_MAIN, engineArguments, until } from "./start-engine.ts";
import type { TinyGgufOptions } from "../fakes/tiny-gguf.ts";
import { writeTinyGguf } from "../fakes/tiny-gguf.ts";

const engines: Engine[] = [];
const folders: string[] = [];
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.stop()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function start(options: EngineOptions): Engine {
  const engine = new Engine(options);
  engines.push(engine);
  return engine;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "omni-life-"));
  folders.push(path);
  return path;
}

const ENDLESS = {
  temperature: 0,
  logit_bias: { "256": -100, "258": -100 },
  messages: [{ role: "user", content: "x" }],
};
const SLOW = { embeddingLength: 256, layers: 8 } as const;

test("health answers from the first moment: loading, then ok; work is refused meanwhile", async () => {
  const engine = start({});
  await until(() => engine.stdout.includes("listening"), "it listens");
  const loading = await engine.get("/health");
  expect(loading).toMatchObject({ status: 503, json: { status: "loading", progress: expect.any(Number) } });
  const { status, headers, json } = await engine.chat({ max_tokens: 1 });
  expect([status, headers["retry-after"], json.error.code]).toEqual([503, "1", "loading"]);
  await engine.ready();
  expect(await engine.get("/health")).toMatchObject({ status: 200, json: { status: "ok" } });
});

describe("a file that is no usable model ends the engine with exit 2 and one clear line", () => {
  const cases: readonly [string, TinyGgufOptions, string, RegExp][] = [
    ["not a GGUF", { magic: "JUNK" }, "model.not-gguf", /no GGUF file/],
    ["truncated", { cut: 5000 }, "model.truncated", /incomplete/],
    [
      "unknown architecture",
      { architecture: "lamma" },
      "model.unknown-architecture",
      /"lamma".*nearest it knows is llama/,
    ],
    ["unknown version", { version: 9 }, "model.unsupported-version", /version 9/],
  ];
  test.each(cases)("%s", async (_, model, code, message) => {
    const engine = start({ model });
    expect(await engine.exited).toEqual({ code: 2, signal: null });
    const lines = engine.stdout
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(lines.at(-1)).toEqual({
      event: "failed",
      code,
      message: expect.stringMatching(message),
      hint: expect.any(String),
    });
  });

  test("missing", async () => {
    const engine = start({ model: join(folder(), "none.gguf") });
    expect(await engine.exited).toEqual({ code: 2, signal: null });
    expect(engine.stdout).toContain("model.not-found");
  });
});

test("what does not fit into memory is refused with the arithmetic", async () => {
  const engine = start({ context: 16_000_000, parallel: 256 });
  expect(await engine.exited).toEqual({ code: 2, signal: null });
  const last: unknown = JSON.parse(engine.stdout.trim().split("\n").at(-1) ?? "");
  const message = expect.stringMatching(
    /needs .* TiB: .* KV cache for 256 requests of 16000000 tokens\. .* GiB are available/,
  );
  expect(last).toMatchObject({ code: "model.too-large", message });
});

test("a file that only llama.cpp finds wanting is an error, not a crash", async () => {
  const engine = start({ model: { without: "output_norm.weight" } });
  expect(await engine.exited).toEqual({ code: 1, signal: null });
  const last: unknown = JSON.parse(engine.stdout.trim().split("\n").at(-1) ?? "");
  expect(last).toMatchObject({
    event: "failed",
    code: "engine.load-failed",
    message: expect.stringContaining("output_norm"),
  });
});

test.each([
  ["--model", []],
  ["either --socket or --port", ["--model", "x"]],
  ["--context is many", ["--model", "x", "--port", "0", "--context", "many"]],
  ["--colour", ["--colour", "red"]],
])("bad arguments are told with exit 2: %s", async (what, args) => {
  const child = spawn(process.execPath, [ENGINE_MAIN, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  let out = "";
  child.stdout?.on("data", (chunk: Buffer) => (out += chunk.toString()));
  const [code] = await once(child, "close");
  expect(code).toBe(2);
  expect(JSON.parse(out)).toMatchObject({
    event: "failed",
    code: "cli.bad-argument",
    message: expect.stringContaining(what),
  });
});

test("SIGTERM: nothing new is admitted, what runs is finished, exit 0, the socket is gone", async () => {
  const engine = await start({ parallel: 1, context: 2048, model: SLOW }).ready();
  const running = engine.chat({ ...ENDLESS, max_tokens: 500 });
  await until(async () => (await engine.get("/slots")).json.generated_tokens_total > 5, "it generates");
  engine.process.kill("SIGTERM");
  await until(async () => (await engine.get("/health")).json.status === "draining", "it drains");
  const refused = await engine.chat({ max_tokens: 1 });
  expect([refused.status, refused.json.error.code]).toEqual([503, "draining"]);
  const { status, json } = await running;
  expect([status, json.usage.completion_tokens]).toEqual([200, 500]);
  expect(await engine.exited).toEqual({ code: 0, signal: null });
  expect(() => readFileSync(engine.socket)).toThrow(/ENOENT/);
});

test("SIGTERM: an answer that takes longer than the grace time is cut", async () => {
  const engine = await start({
    parallel: 1,
    context: 32_768,
    model: { ...SLOW, trainedContext: 32_768 },
    extra: ["--grace", "300"],
  }).ready();
  const cut = engine.chat(ENDLESS).catch(() => "cut");
  await until(async () => (await engine.get("/slots")).json.generated_tokens_total > 5, "it generates");
  engine.process.kill("SIGTERM");
  expect(await engine.exited).toEqual({ code: 0, signal: null });
  expect(await cut).toBe("cut");
});

/** A real parent that starts the engine, writes the engine's pid and then does nothing. */
function parentOf(model: string, socket: string, more: string): ChildProcess {
  const script = `
    const { spawn } = require("node:child_process");
    const child = spawn(process.execPath, ${JSON.stringify([ENGINE_MAIN, ...engineArguments(model, socket, { context: 16_384, parallel: 1 })])}, { stdio: ["pipe", "pipe", "inherit"] });
    process.stdout.write(child.pid + "\\n");
    ${more}
    setInterval(() => {}, 1000);`;
  return spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
}

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
};

async function pidFrom(parent: ChildProcess): Promise<number> {
  let out = "";
  parent.stdout?.on("data", (chunk: Buffer) => (out += chunk.toString()));
  await until(() => out.includes("\n"), "the parent has started the engine");
  return Number(out.split("\n")[0]);
}

describe("the engine ends with its parent", () => {
  test("killed with SIGKILL while the engine starts and loads", async () => {
    const model = writeTinyGguf(join(folder(), "tiny.gguf"), SLOW);
    for (const delay of [0, 150, 600]) {
      const parent = parentOf(model, join(folder(), "s"), "");
      const pid = await pidFrom(parent);
      await new Promise((resolve) => setTimeout(resolve, delay));
      expect(alive(pid)).toBe(true);
      parent.kill("SIGKILL");
      await until(() => !alive(pid), `the engine is gone, ${delay} ms after its start`);
    }
  });

  test("killed with SIGKILL while the engine generates", async () => {
    const socket = join(folder(), "s");
    const model = writeTinyGguf(join(folder(), "tiny.gguf"), { ...SLOW, trainedContext: 16_384 });
    const ask = `
      const { request } = require("node:http");
      const go = () => {
        const asked = request({ socketPath: ${JSON.stringify(socket)}, path: "/v1/chat/completions", method: "POST" }, (answer) => {
          if (answer.statusCode !== 200) return void setTimeout(go, 100);
          answer.once("data", () => process.stdout.write("generating\\n"));
        });
        asked.on("error", () => setTimeout(go, 100));
        asked.end(${JSON.stringify(JSON.stringify({ ...ENDLESS, stream: true }))});
      };
      go();`;
    const parent = parentOf(model, socket, ask);
    let out = "";
    parent.stdout?.on("data", (chunk: Buffer) => (out += chunk.toString()));
    const pid = await pidFrom(parent);
    await until(() => out.includes("generating"), "it generates");
    expect(alive(pid)).toBe(true);
    parent.kill("SIGKILL");
    await until(() => !alive(pid), "the engine is gone");
  });

  test("also when its main thread is stuck", async () => {
    const watch = new URL("../../src/embedded/parent-watch.ts", import.meta.url).href;
    const stuck = `const { watchParent } = await import(${JSON.stringify(watch)}); watchParent(); setTimeout(() => { process.stdout.write("stuck\\n"); for (;;); }, 300);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", stuck], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    const closed = once(child, "exit");
    child.stdin.end();
    expect(await closed).toEqual([null, "SIGKILL"]);
  });
});

test("a model that shrinks on disk before the start is refused, not mapped", async () => {
  const path = writeTinyGguf(join(folder(), "tiny.gguf"));
  truncateSync(path, 100_000);
  const engine = start({ model: path });
  expect(await engine.exited).toEqual({ code: 2, signal: null });
  writeFileSync(path, "");
  const empty = start({ model: path });
  expect(await empty.exited).toEqual({ code: 2, signal: null });
});
