/** What the real llama.cpp says about the memory of a model: per device without allocating, or as a server's log. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";

import { GgufInsights, getLlama, readGgufFileInfo } from "node-llama-cpp";

import { MIB } from "../src/core/index.ts";
import type { EngineSettings } from "../src/memory/memory-model.ts";
import { freePort } from "./free-port.ts";

/** MiB; `exact` tells whether they have decimals, or were cut to whole MiB. */
export interface Reported {
  readonly device: string;
  readonly weights: number;
  readonly kvCache: number;
  readonly compute: number;
  readonly exact: boolean;
}

const run = promisify(execFile);
const DEADLINE_MS = 60_000;

/** Cards that are processes: each an RPC server of llama.cpp's on loopback. */
export async function startCards(
  programs: string,
  count: number,
): Promise<{ addresses: string[]; stop(): Promise<void> }> {
  const children: ChildProcess[] = [];
  const addresses: string[] = [];
  for (let card = 0; card < count; card++) {
    const port = await freePort();
    const child = spawn(join(programs, "ggml-rpc-server"), ["-p", String(port)], {
      stdio: "ignore",
    });
    children.push(child);
    addresses.push(`127.0.0.1:${port}`);
    await listening(port);
  }
  return {
    addresses,
    stop: async () => {
      await Promise.all(
        children.map(async (child) => {
          if (child.exitCode !== null) return;
          child.kill("SIGKILL");
          await once(child, "exit");
        }),
      );
    },
  };
}

async function listening(port: number): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (Date.now() < deadline) {
    const socket = connect(port, "127.0.0.1");
    const open = await Promise.race([
      once(socket, "connect").then(() => true),
      once(socket, "error").then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (open) return;
    await setTimeout(20);
  }
  throw new Error(`nothing listens on port ${port}`);
}

/** Weights, cache and compute of every card and of main memory as `llama-fit-params` computes them. */
export async function fitParams(
  programs: string,
  model: string,
  settings: EngineSettings,
  cards: readonly string[],
): Promise<Reported[]> {
  const { stdout } = await run(join(programs, "llama-fit-params"), [
    ...commonArguments(model, settings),
    ...(cards.length === 0 ? [] : ["--rpc", cards.join(",")]),
    "-fitp",
    "on",
  ]);
  return stdout
    .trim()
    .split("\n")
    .map((line) => line.trim().split(" "))
    .filter((words) => words.length === 4)
    .map(([device = "", weights, kvCache, compute]) => ({
      device,
      weights: Number(weights),
      kvCache: Number(kvCache),
      compute: Number(compute),
      exact: false,
    }));
}

/** The same of a `llama-server` that really loads the model, from its log. */
export async function serverLog(
  programs: string,
  model: string,
  settings: EngineSettings,
  cards: readonly string[],
): Promise<Reported[]> {
  const args = [
    ...commonArguments(model, settings),
    settings.kvUnified ? "--kv-unified" : "--no-kv-unified",
    ...(cards.length === 0 ? [] : ["--rpc", cards.join(",")]),
    "--port",
    String(await freePort()),
    "--no-warmup",
    "--fit",
    "off",
    "-lv",
    "4",
    "-t",
    "1",
  ];
  const child = spawn(join(programs, "llama-server"), args, { stdio: ["ignore", "ignore", "pipe"] });
  const sums = new Map<string, number>();
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  deadline.addEventListener("abort", () => child.kill("SIGKILL"));
  for await (const line of createInterface({ input: child.stderr })) {
    const [, device = "", term = "", size = ""] =
      /\s(\S+)\s+(\w+) buffer size\s*=\s*([\d.]+) MiB/.exec(line) ?? [];
    const key = `${cards.findIndex((card) => device.includes(card))} ${term}`;
    if (term !== "") sums.set(key, (sums.get(key) ?? 0) + Number(size));
    if (/model loaded|exiting due to/.test(line)) break;
  }
  child.kill("SIGKILL");
  if (child.exitCode === null) await once(child, "exit");
  return [...cards.keys(), -1].map((card) => {
    const of = (term: string): number => sums.get(`${card} ${term}`) ?? 0;
    const [weights, kvCache, compute] = [of("model"), of("KV") + of("RS"), of("compute")];
    return { device: card < 0 ? "Host" : `RPC${card}`, weights, kvCache, compute, exact: true };
  });
}

function commonArguments(model: string, settings: EngineSettings): string[] {
  const tokens = settings.contextTokens * (settings.kvUnified ? 1 : settings.parallel);
  const { tensorSplit, cpuExpertLayers } = settings;
  const values: Readonly<Record<string, string | number>> = {
    "-m": model,
    "-c": tokens,
    "-np": settings.parallel,
    "-b": settings.batchTokens,
    "-ub": settings.microBatchTokens,
    "-ctk": settings.kvKeyType,
    "-ctv": settings.kvValueType,
    "-fa": settings.flashAttention ? "on" : "off",
    "-ngl": settings.gpuLayers,
    ...(cpuExpertLayers > 0 ? { "-ncmoe": cpuExpertLayers } : {}),
    ...(tensorSplit === undefined ? {} : { "-ts": tensorSplit.join(",") }),
  };
  const flags = settings.kvOnHost ? ["--no-repack", "-nkvo"] : ["--no-repack"];
  return [...Object.entries(values).flatMap(([name, value]) => [name, String(value)]), ...flags];
}

/** What node-llama-cpp measures within this process, without cards: its context is cache and compute together. */
export async function measuredInProcess(
  model: string,
  settings: EngineSettings,
): Promise<{ weights: number; context: number }> {
  const llama = await getLlama({ gpu: false, build: "never" });
  try {
    const insights = await GgufInsights.from(await readGgufFileInfo(model), llama);
    const weights = await insights.estimateModelResourceRequirementsV2({ gpuLayers: 0 });
    const context = await insights.estimateContextResourceRequirementsV2({
      contextSize: settings.contextTokens,
      modelGpuLayers: 0,
      batchSize: settings.microBatchTokens,
      sequences: settings.parallel,
      flashAttention: settings.flashAttention,
    });
    return { weights: weights.cpuRam / MIB, context: context.cpuRam / MIB };
  } finally {
    await llama.dispose();
  }
}
