import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { bench } from "../../src/cli/commands/bench.ts";
import { readBenchRuns } from "../../src/store/index.ts";
import { startRecording } from "../acceptance/recording-server.ts";
import type { RecordingServer } from "../acceptance/recording-server.ts";
import { inProcess } from "../fakes/command-in-process.ts";
import { eventually, launch, omni, startNode, temporaryFolder } from "./run-node.ts";
import type { Finished, RunningNode } from "./run-node.ts";

const spread = z.strictObject({ median: z.number(), low: z.number(), high: z.number(), of: z.int() });
const times = z.strictObject({ p50: z.number(), p95: z.number() });
const prompt = z.strictObject({
  aimed: z.int(),
  share: z.number().exactOptional(),
  tokens: z.number().exactOptional(),
  speed: spread.exactOptional(),
  engineSpeed: spread.exactOptional(),
  ttft: spread,
});
/** All that programs may count on; strict, so that a change shows. */
const REPORT = z.strictObject({
  omni: z.string(),
  url: z.string(),
  time: z.int(),
  run: z.int().exactOptional(),
  interrupted: z.literal(true).exactOptional(),
  settings: z.strictObject({
    promptTokens: z.array(z.int()),
    answerTokens: z.int(),
    rounds: z.int(),
    concurrency: z.array(z.int()),
    duration: z.int(),
    longContext: z.boolean(),
  }),
  results: z.array(
    z.strictObject({
      route: z.string(),
      service: z.string(),
      engine: z.string(),
      engineVersion: z.string(),
      model: z.string(),
      digest: z.string(),
      cards: z.array(z.string()),
      memory: z.array(
        z.strictObject({
          device: z.string(),
          predicted: z.number().exactOptional(),
          took: z.number().exactOptional(),
          total: z.number().exactOptional(),
        }),
      ),
      failure: z.string().exactOptional(),
      numbers: z
        .strictObject({
          task: z.enum(["text", "embeddings", "image"]),
          service: z.string().exactOptional(),
          engine: z.string().exactOptional(),
          warmUp: z.number(),
          prompts: z.array(prompt),
          generation: z
            .strictObject({
              speed: spread.exactOptional(),
              engineSpeed: spread.exactOptional(),
              ttft: times,
              gap: times.exactOptional(),
              tokens: z.number().exactOptional(),
              tokensPerEvent: z.number().exactOptional(),
            })
            .exactOptional(),
          sweep: z.array(
            z.strictObject({
              concurrency: z.int(),
              answered: z.int(),
              errors: z.record(z.string(), z.int()),
              cut: z.int(),
              total: z.number().exactOptional(),
              perStream: spread.exactOptional(),
              ttft: times.exactOptional(),
            }),
          ),
          long: z.array(prompt),
          image: spread.exactOptional(),
          notes: z.array(z.string()),
          interrupted: z.literal(true).exactOptional(),
        })
        .exactOptional(),
      compared: z
        .strictObject({
          run: z.int(),
          time: z.int(),
          engineVersion: z.string(),
          changes: z.array(
            z.strictObject({
              name: z.string(),
              before: z.number(),
              now: z.number(),
              percent: z.number(),
              lowerIsBetter: z.boolean(),
              beyondSpread: z.boolean().exactOptional(),
            }),
          ),
        })
        .exactOptional(),
    }),
  ),
});

const SHORT = ["--prompt-tokens", "100", "--answer-tokens", "8", "--rounds", "2", "--duration", "100ms"];
const KEY = "sk-bench-0123456789abcdef";

afterEach(() => vi.unstubAllEnvs());

/** The command in this process: starting another costs seconds on a machine that does much else. */
function here(
  [, ...args]: readonly string[],
  state: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  for (const [name, value] of Object.entries({ ...env, OMNI_STATE: state })) vi.stubEnv(name, value);
  return inProcess(bench, args);
}

const reportOf = (text: string): z.infer<typeof REPORT> => REPORT.parse(JSON.parse(text));

describe("a node with keys before an engine of known speed", () => {
  const folder = temporaryFolder();
  let engine: RecordingServer | undefined;
  let node: RunningNode | undefined;
  const env = { OMNI_KEY: KEY };
  beforeAll(async () => {
    engine = await startRecording({
      pause: 5,
      // A request of somebody else that nobody answers.
      instead: ({ body }) => JSON.stringify(body).includes("a long story"),
    });
    const spec = join(folder.path, "omni.yaml");
    const key = join(folder.path, "key");
    writeFileSync(key, KEY);
    writeFileSync(
      spec,
      `omni: 1
name: bench
models: { far: { source: { remote: m } } }
engines: { paced: { kind: openai, url: "${engine.origin}/v1" } }
services: { chat: { model: far, engine: paced, context: 4096, parallel: 4 } }
routes: { main: { services: [chat], aliases: [gpt-4] } }
keys: { me: { file: ./key, admin: true } }
`,
    );
    node = await startNode([spec], folder.path);
  }, 180_000);
  afterAll(async () => {
    await node?.interrupt();
    await engine?.[Symbol.asyncDispose]();
    folder.remove();
  });

  it("measures each way to its services once, keeps the run and compares the next one with it", async () => {
    const args = ["bench", ...SHORT, "--concurrency", "1,2", "--json"];
    const first = await omni(args, folder.path, "", { env });
    expect([first.code, first.stderr]).toEqual([0, ""]);
    const { run, results } = reportOf(first.stdout);
    expect(run).toBe(1);
    expect(results).toHaveLength(1);
    expect(results[0]).toMatchObject({ route: "main", service: "chat", model: "far", engine: "openai" });
    const { numbers } = results[0] ?? {};
    expect(numbers).toMatchObject({ service: "chat", generation: { tokens: 8 }, notes: [] });
    // 8 tokens 5 ms apart: not faster than that, with a millisecond for early timers.
    expect(numbers?.generation?.speed?.median).toBeLessThan(250);
    expect(numbers?.sweep.map(({ concurrency, errors }) => [concurrency, errors])).toEqual([
      [1, {}],
      [2, {}],
    ]);
    const again = await omni(args, folder.path, "", { env });
    const second = reportOf(again.stdout);
    expect(second.run).toBe(2);
    expect(second.results[0]?.compared).toMatchObject({ run: 1 });
    expect(second.results[0]?.compared?.changes.map(({ name }) => name)).toContain("generation tok/s");
    expect(first.stdout + again.stdout).not.toContain(KEY);
    expect(readBenchRuns(folder.path).map((row) => [row.run, row.route, row.service])).toEqual([
      [2, "main", "chat"],
      [1, "main", "chat"],
    ]);
  });

  it("prints the table, the sweep and the comparison for a person, and lists what is kept", async () => {
    const args = ["bench", "--route", "gpt-4", ...SHORT, "--concurrency", "2"];
    const { code, stdout, stderr } = await here(args, folder.path, env);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^NAME +SERVICE +ENGINE +MODEL +PROMPT EVAL tok\/s +GENERATION tok\/s/m);
    expect(stdout).toMatch(/^gpt-4 +chat +openai +far /m);
    expect(stdout).toMatch(/^CLIENTS +ALL tok\/s/m);
    expect(stdout).toMatch(/^generation .* tok\/s, between tokens p50/m);
    expect(stdout).toMatch(/Kept as run \d+/);
    expect(stderr).toContain("gpt-4: generation");
    const again = await here([...args, "--no-store"], folder.path, env);
    expect(again.stdout).toMatch(/^BESIDE RUN \d+/m);
    expect(again.stdout).not.toContain("Kept as run");
    const listed = await here(["bench", "--list"], folder.path);
    expect(listed.stdout).toMatch(/^RUN +TIME +NAME/m);
    expect(listed.stdout).toMatch(/gpt-4 +chat/);
  });

  it("notices that others are at work", async () => {
    const url = node?.url ?? "";
    const ending = new AbortController();
    const other = fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      signal: ending.signal,
      headers: { "content-type": "application/json", authorization: `Bearer ${KEY}` },
      body: JSON.stringify({
        model: "main",
        stream: true,
        messages: [{ role: "user", content: "Tell me a long story." }],
      }),
    }).catch(() => undefined);
    await eventually(() => engine?.asked.at(-1)?.body["stream"] === true);
    const { stdout } = await here(
      ["bench", ...SHORT, "--concurrency", "0", "--json", "--no-store"],
      folder.path,
      env,
    );
    ending.abort();
    await other;
    expect(reportOf(stdout).results[0]?.numbers?.notes).toContainEqual(
      expect.stringMatching(/^chat was at work for others before it began: [1-9]/),
    );
  });

  it("refuses without the key, and what it does not serve, by name", async () => {
    const keyless = await here(["bench", "--quick"], folder.path);
    expect([keyless.code, keyless.stderr]).toEqual([1, expect.stringContaining("acceptance.refused")]);
    const wrong = await here(["bench", "--route", "mian"], folder.path, env);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("Did you mean main?")]);
    for (const bad of [
      ["--concurrency", "1,x"],
      ["--duration", "20"],
      ["--compare", "99"],
      ["--model", "m"],
    ]) {
      const { code, stderr } = await here(["bench", ...bad], folder.path, env);
      expect([code, stderr], bad.join(" ")).toEqual([2, expect.stringContaining("cli.bad-argument")]);
    }
  });

  it("ends at Ctrl-C with what was measured until then", async () => {
    const args = ["bench", ...SHORT, "--concurrency", "1,2", "--duration", "10m"];
    const child = launch(args, folder.path, { env });
    let [out, err] = ["", ""];
    child.stdout?.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => (err += chunk.toString()));
    await eventually(() => err.includes("main: 1 at a time"));
    child.kill("SIGINT");
    const [code] = await once(child, "close");
    expect([code, out]).toEqual([0, expect.stringContaining("Interrupted: this is what was measured")]);
    expect(out).toContain("generation ");
  });

  it("measures the engine itself, outside Omni", async () => {
    const other = temporaryFolder();
    const url = `${engine?.origin ?? ""}/v1`;
    const { code, stdout } = await here(
      ["bench", "--url", url, "--model", "m", ...SHORT, "--concurrency", "0", "--no-store", "--json"],
      other.path,
    );
    expect(code).toBe(0);
    expect(reportOf(stdout).results[0]).toMatchObject({ route: "m", service: engine?.origin, numbers: {} });
    expect(existsSync(join(other.path, "omni.db"))).toBe(false);
    other.remove();
  });
});

it("measures the demo on the embedded engine, with memory beside what was predicted", async () => {
  const folder = temporaryFolder();
  const spec = join(folder.path, "omni.yaml");
  writeFileSync(spec, "omni: 1\nname: demo\nmodels: { omni-demo: builtin:omni-demo }\n");
  const node = await startNode([spec], folder.path);
  try {
    const args = ["bench", ...SHORT, "--concurrency", "2", "--long-context", "--json"];
    const { code, stdout, stderr } = await here(args, folder.path);
    expect([code, stderr]).toEqual([0, ""]);
    const [result] = reportOf(stdout).results;
    expect(result).toMatchObject({ model: "omni-demo", engine: "embedded", cards: ["cpu"] });
    expect(result?.numbers?.generation?.speed?.median).toBeGreaterThan(0);
    expect(result?.numbers?.prompts[0]?.tokens).toBeGreaterThan(50);
    expect(result?.numbers?.long.map(({ share }) => share)).toEqual([0.25, 0.5, 0.9]);
    expect(result?.numbers?.sweep[0]?.total).toBeGreaterThan(0);
  } finally {
    await node.interrupt();
    folder.remove();
  }
});

const LLAMA_SERVER = process.env["OMNI_LLAMA_SERVER"] ?? "";

it.skipIf(LLAMA_SERVER === "")(
  "measures a real llama-server beside its own timings (needs OMNI_LLAMA_SERVER)",
  async () => {
    const folder = temporaryFolder();
    const spec = join(folder.path, "omni.yaml");
    writeFileSync(
      spec,
      `omni: 1
runtime: process
engines: { server: { kind: llama.cpp, binary: ${JSON.stringify(LLAMA_SERVER)} } }
models: { demo: builtin:omni-demo }
services: { first: { model: demo, engine: server, devices: cpu, context: 1024, parallel: 2, threads: 1 } }
routes: { chat: first }
`,
    );
    const node = await startNode([spec], folder.path);
    try {
      const args = ["bench", ...SHORT, "--concurrency", "2", "--json"];
      const { code, stdout, stderr } = await here(args, folder.path);
      expect([code, stderr]).toEqual([0, ""]);
      const [result] = reportOf(stdout).results;
      expect(result).toMatchObject({ route: "chat", service: "first", engine: "llama.cpp" });
      const { prompts, generation, sweep } = result?.numbers ?? {};
      expect(prompts?.[0]?.tokens).toBeGreaterThan(50);
      expect(generation?.speed?.median).toBeGreaterThan(0);
      // llama.cpp tells its own; both are of the same answers.
      expect(generation?.engineSpeed?.median).toBeGreaterThan(0);
      expect(prompts?.[0]?.engineSpeed?.median).toBeGreaterThan(0);
      expect(sweep?.[0]).toMatchObject({ concurrency: 2, errors: {} });
    } finally {
      await node.interrupt();
      folder.remove();
    }
  },
);
