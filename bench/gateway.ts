/**
 * What the gateway costs: the same load straight at a stub engine and through the gateway, interleaved in one run,
 * medians over the rounds. Keys, routing, the replacement of the model's name and usage counting are on. Stub, gateway
 * and load are a process each and share the machine's cores, so ratios are worth more than absolute figures.
 * Usage: npm run bench:gateway [-- ROUNDS]
 */
import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Load, LoadResult } from "./gateway-load.ts";

const ROUNDS = Number(process.argv[2] ?? 5);
const TIME = 2_000;
const EVENTS = 66;

const messages = [
  { role: "system", content: "You are a helpful assistant of this node. ".repeat(8) },
  { role: "user", content: "Which services run here, and what do they need? ".repeat(4) },
];
const plain = JSON.stringify({ model: "oracle", messages, temperature: 0 });
const streaming = (gap: number): string => JSON.stringify({ model: "oracle", messages, stream: true, gap });

interface Cell {
  readonly name: string;
  readonly connections: number;
  readonly body: string;
  readonly stream: boolean;
}

const CELLS: readonly Cell[] = [
  { name: "JSON, 1 connection", connections: 1, body: plain, stream: false },
  { name: "JSON, 32 connections", connections: 32, body: plain, stream: false },
  { name: "JSON, 256 connections", connections: 256, body: plain, stream: false },
  { name: "16 streams, no gaps", connections: 16, body: streaming(0), stream: true },
  { name: "64 streams, 5 ms gaps", connections: 64, body: streaming(5), stream: true },
];

interface Usage {
  readonly cpu: number;
  readonly rss: number;
  readonly failures: number;
}

/** Asks a child and waits for its answer; the child answers in order. */
function ask<T>(child: ChildProcess, message?: object): Promise<T> {
  return new Promise((resolve, reject) => {
    const done = (answer: unknown): void => {
      child.off("exit", gone);
      // The children are this benchmark's own; their messages are typed beside them.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      resolve(answer as T);
    };
    const gone = (): void => reject(new Error("a child of the benchmark ended"));
    child.once("message", done).once("exit", gone);
    if (message !== undefined) child.send(message);
  });
}

const script = (name: string, ...rest: string[]): ChildProcess =>
  fork(join(import.meta.dirname, name), rest, { stdio: ["ignore", "inherit", "inherit", "ipc"] });

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
};

interface Round {
  readonly direct: LoadResult;
  readonly through: LoadResult;
  /** Microseconds of the gateway's CPU a request, or an event for streams. */
  readonly cpu: number;
}

async function measure(
  cell: Cell,
  stub: string,
  url: string,
  load: ChildProcess,
  node: ChildProcess,
): Promise<Round> {
  const { connections, body } = cell;
  const order = (target: string): Load => ({ target, connections, time: TIME, body });
  const direct = await ask<LoadResult>(load, order(`unix:${stub}`));
  const before = await ask<Usage>(node, {});
  const through = await ask<LoadResult>(load, order(url));
  const after = await ask<Usage>(node, {});
  const failures = direct.failures + through.failures + after.failures;
  if (failures > 0) throw new Error(`${failures} requests failed in "${cell.name}"`);
  return { direct, through, cpu: (after.cpu - before.cpu) / through.requests / (cell.stream ? EVENTS : 1) };
}

function report(cell: Cell, rounds: readonly Round[]): void {
  const rate = (pick: (round: Round) => LoadResult): number =>
    median(rounds.map((round) => pick(round).requests / pick(round).seconds));
  const time = (key: "firstP50" | "firstP99" | "wholeP50", pick: (round: Round) => LoadResult): number =>
    median(rounds.map((round) => pick(round)[key]));
  const [direct, through] = [(round: Round) => round.direct, (round: Round) => round.through];
  const unit = cell.stream ? "streams/s" : "req/s";
  const p50 = cell.stream ? "firstP50" : "wholeP50";
  console.log(cell.name);
  console.log(
    `  ${unit}: direct ${rate(direct).toFixed(0)}, gateway ${rate(through).toFixed(0)}, ratio ${(rate(through) / rate(direct)).toFixed(2)}`,
  );
  console.log(
    `  ${cell.stream ? "TTFT" : "whole"} p50: direct ${time(p50, direct).toFixed(0)} µs, gateway ${time(p50, through).toFixed(0)} µs; ` +
      `first byte p99: direct ${time("firstP99", direct).toFixed(0)} µs, gateway ${time("firstP99", through).toFixed(0)} µs`,
  );
  const cpu = rounds.map((round) => round.cpu);
  console.log(
    `  gateway CPU: ${median(cpu).toFixed(1)} µs/${cell.stream ? "event" : "request"} (${Math.min(...cpu).toFixed(1)} to ${Math.max(...cpu).toFixed(1)})`,
  );
}

const folder = mkdtempSync(join(tmpdir(), "omni-bench-"));
const socket = join(folder, "stub.sock");
const stub = script("gateway-stub.ts", socket);
await ask(stub);
const node = script("gateway-node.ts", socket);
const { url } = await ask<{ url: string }>(node);
const load = script("gateway-load.ts");
try {
  // The first round warms the compiler up and is thrown away.
  const rounds = new Map(CELLS.map((cell) => [cell, [] as Round[]]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [cell, results] of rounds) {
      const result = await measure(cell, socket, url, load, node);
      if (round > 0) results.push(result);
    }
  }
  for (const [cell, results] of rounds) report(cell, results);
  const { rss } = await ask<Usage>(node, {});
  console.log(`gateway resident memory at the end: ${(rss / 2 ** 20).toFixed(0)} MiB`);
} finally {
  for (const child of [stub, node, load]) child.disconnect();
  rmSync(folder, { recursive: true, force: true });
}
