/**
 * Tokens per second of the embedded engine through the whole stack (client, gateway, engine) at 1, 4 and 16 concurrent
 * requests, against node-llama-cpp called directly: same prompts, sampling, threads and lengths, interleaved rounds,
 * medians. Before it a table of thread counts, by which `chooseThreads` is judged on this machine.
 *
 * Usage: npm run bench:embedded -- [--model FILE] [--rounds N] [--tokens N] [--layer stack|engine] [--large] [--threads-only]
 */
import { fork, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { chooseThreads, observeCpu } from "../src/inventory/cpu.ts";
import { readModel } from "../src/models/index.ts";
import { tinyGguf } from "../test/fakes/tiny-gguf.ts";
import type { BenchJob, BenchResult } from "./embedded-job.ts";
import { CONTEXT_TOKENS } from "./embedded-job.ts";
import { freePort } from "./free-port.ts";

const ROOT = join(import.meta.dirname, "..");
const CONCURRENCY = [1, 4, 16];
const MOST = Math.max(...CONCURRENCY);
const DEADLINE_MS = 60_000;
const CELL_MS = 4000;

const { values } = parseArgs({
  options: {
    model: { type: "string", default: join(ROOT, "demo/omni-demo.gguf") },
    rounds: { type: "string", default: "5" },
    tokens: { type: "string", default: "128" },
    layer: { type: "string", default: "stack" },
    large: { type: "boolean", default: false },
    "threads-only": { type: "boolean", default: false },
  },
});
const folder = mkdtempSync(join(tmpdir(), "omni-bench-"));
const children: ChildProcess[] = [];

interface Side {
  /** What the child said when it was ready: the model's end tokens, where it knows them. */
  readonly ready: readonly number[];
  run(job: BenchJob): Promise<BenchResult>;
  end(): void;
}

/** A child that says it is ready and then answers one job at a time. */
async function worker(file: string, args: readonly string[]): Promise<Side> {
  const child = fork(join(import.meta.dirname, file), [...args], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  children.push(child);
  let waiting = Promise.withResolvers<Record<string, unknown>>();
  const message = (): Promise<Record<string, unknown>> => {
    waiting = Promise.withResolvers();
    return waiting.promise;
  };
  child.on("message", (value) => waiting.resolve(Object(value)));
  child.once("exit", (code) => waiting.reject(new Error(`${file} ended with ${code}`)));
  const { ready } = await message();
  return {
    ready: Array.isArray(ready) ? ready.map(Number) : [],
    run: async (job) => {
      const reply = message();
      child.send(job);
      const { tokens, milliseconds } = await reply;
      return { tokens: Number(tokens), milliseconds: Number(milliseconds) };
    },
    end: () => child.disconnect(),
  };
}

/** Starts the stack, or the engine alone, and resolves with its URL once it is ready. */
async function startServer(model: string, threads: number): Promise<string> {
  const port = await freePort();
  const stack = values.layer !== "engine";
  const args = stack
    ? ["src/cli/main.ts", "up", specFile(model), "--port", String(port)]
    : engineArguments(model, threads, port);
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, OMNI_STATE: join(folder, "state") },
    stdio: ["pipe", "ignore", "inherit"],
  });
  children.push(child);
  const base = `http://127.0.0.1:${port}`;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    const ok = await fetch(`${base}${stack ? "/readyz" : "/health"}`).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return base;
    await new Promise((done) => setTimeout(done, 50));
  }
}

function specFile(model: string): string {
  const path = join(folder, "omni.yaml");
  const service = { model: "bench", engine: "embedded", context: CONTEXT_TOKENS, parallel: MOST };
  writeFileSync(
    path,
    JSON.stringify({ omni: 1, models: { bench: { source: { file: model } } }, services: { bench: service } }),
  );
  return path;
}

const engineArguments = (model: string, threads: number, port: number): string[] =>
  `src/embedded/main.ts --alias bench --port ${port} --threads ${threads} --context ${CONTEXT_TOKENS} --parallel ${MOST} --queue 16`
    .split(" ")
    .concat("--model", model);

/** Prompts that share no beginning with those of other rounds, so that no cache helps. */
const prompts = (round: string, count: number): string[] =>
  Array.from(
    { length: count },
    (_, i) => `${round}/${i}: what does Omni do with question ${i} of round ${round}?`,
  );

const perSecond = ({ tokens, milliseconds }: BenchResult): number => (tokens / milliseconds) * 1000;

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle) - 1] ?? 0)) / 2;
}

async function threadTable(model: string, chosen: number): Promise<void> {
  const cpu = observeCpu();
  const counts = [
    ...new Set([1, 2, Math.ceil(cpu.physical / 2), cpu.physical, availableParallelism(), 0]),
  ].toSorted((a, b) => a - b);
  console.log("threads            1 request   16 requests  (tokens/s, node-llama-cpp directly)");
  for (const threads of [...counts.slice(1), 0]) {
    const direct = await worker("embedded-direct.ts", [model, String(threads), String(MOST)]);
    const rates: number[] = [];
    for (const count of [1, MOST]) {
      rates.push(
        perSecond(
          await direct.run({ prompts: prompts(`t${threads}`, count), tokens: 100, deadline: CELL_MS }),
        ),
      );
    }
    direct.end();
    const name = threads === 0 ? "library default" : `${threads}${threads === chosen ? " ← chosen" : ""}`;
    console.log(`${name.padEnd(16)} ${rates.map((rate) => rate.toFixed(1).padStart(11)).join("  ")}`);
  }
}

async function compare(model: string, threads: number): Promise<void> {
  const direct = await worker("embedded-direct.ts", [model, String(threads), String(MOST)]);
  const base = await startServer(model, threads);
  const client = await worker("embedded-client.ts", [base, "bench", direct.ready.join(",")]);
  const sides = [direct, client] as const;
  const tokens = Number(values.tokens);
  console.log(
    `requests   direct tok/s   ${values.layer} tok/s   ratio (medians of ${values.rounds} interleaved rounds)`,
  );
  for (const count of CONCURRENCY) {
    const rates: [number[], number[]] = [[], []];
    for (let round = 0; round <= Number(values.rounds); round++) {
      // Every other round the other side goes first.
      for (const side of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
        const result = await sides[side].run({
          prompts: prompts(`${count}.${round}`, count),
          tokens,
          deadline: DEADLINE_MS,
        });
        // Round 0 warms up.
        if (round > 0) rates[side].push(perSecond(result));
      }
    }
    const [one, other] = [median(rates[0]), median(rates[1])];
    const ratio = median(rates[1].map((rate, i) => rate / (rates[0][i] ?? rate)));
    console.log(
      `${String(count).padStart(8)} ${one.toFixed(1).padStart(14)} ${other.toFixed(1).padStart(13)} ${(other / one).toFixed(3).padStart(7)}  (median of the rounds' ratios ${ratio.toFixed(3)})`,
    );
  }
}

try {
  const large = join(folder, "large.gguf");
  if (values.large) writeFileSync(large, tinyGguf({ embeddingLength: 512, layers: 12 }));
  const model = values.large ? large : resolve(values.model);
  const { weightBytes } = await readModel(model);
  const { threads, reason } = chooseThreads(observeCpu(), weightBytes);
  const { logical, physical, quota } = observeCpu();
  console.log(`${model}: ${(weightBytes / 2 ** 20).toFixed(1)} MiB of weights`);
  console.log(
    `${logical} CPUs, ${physical} cores, ${quota === undefined ? "no quota" : `quota ${quota}`}: ${threads} thread${threads === 1 ? "" : "s"} chosen, because ${reason}\n`,
  );
  await threadTable(model, threads);
  console.log();
  if (!values["threads-only"]) await compare(model, threads);
} finally {
  for (const child of children) {
    if (child.connected) child.disconnect();
    if (child.exitCode === null) child.kill("SIGTERM");
  }
  for (const child of children) {
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }
  rmSync(folder, { recursive: true, force: true });
}
