/**
 * What worker processes gain and cost: the same load at a gateway without workers (0) and with one, two and more, interleaved in
 * one run, medians over the rounds; CPU is that of the parent and all its workers. Stub and load share the machine's cores.
 * Usage: node bench/gateway-workers.ts [ROUNDS [WORKERS,WORKERS... [CONNECTIONS,...]]]
 */
import type { ChildProcess } from "node:child_process";
import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Load, LoadResult } from "./gateway-load.ts";

const ROUNDS = Number(process.argv[2] ?? 5);
const WORKERS = (process.argv[3] ?? "0,1,2").split(",").map(Number);
const ONLY = process.argv[4]?.split(",").map(Number);
const TIME = 3_000;
const EVENTS = 66;
/** Microseconds of a tick of the kernel's accounts. */
const TICK = 1e6 / Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

const messages = [{ role: "user", content: "Which services run here, and what do they need? ".repeat(8) }];
const plain = JSON.stringify({ model: "oracle", messages });
const streaming = JSON.stringify({ model: "oracle", messages, stream: true, gap: 5 });
const CELLS = [
  { name: "JSON, 1 connection", connections: 1, body: plain, events: 1 },
  { name: "JSON, 32 connections", connections: 32, body: plain, events: 1 },
  { name: "JSON, 256 connections", connections: 256, body: plain, events: 1 },
  { name: "200 streams, 5 ms gaps", connections: 200, body: streaming, events: EVENTS },
].filter(({ connections }) => ONLY?.includes(connections) ?? true);

interface Round {
  readonly load: LoadResult;
  /** Microseconds a request or event. */
  readonly cpu: number;
}

const script = (path: string, ...rest: string[]): ChildProcess =>
  fork(join(import.meta.dirname, path), rest, { stdio: ["ignore", "inherit", "inherit", "ipc"] });

/** Microseconds of CPU that processes have had (proc_pid_stat(5), fields 14 and 15). */
const cpuOf = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return sum + (Number(fields[11]) + Number(fields[12])) * TICK;
  }, 0);

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function asked<T>(child: ChildProcess, message: string | Load): Promise<T> {
  const answer = once(child, "message");
  child.send(message);
  const [told] = await answer;
  return told;
}

const folder = mkdtempSync(join(tmpdir(), "omni-bench-"));
const socket = join(folder, "stub.sock");
const stub = script("gateway-stub.ts", socket);
await once(stub, "message");
const load = script("gateway-load.ts");
const gateways = new Map<number, { child: ChildProcess; url: string; pids: readonly number[] }>();
for (const workers of WORKERS) {
  const child = script("../test/fakes/gateway-parent.ts", socket, "0", String(workers));
  const [{ url }] = await once(child, "message");
  const { pids } = await asked<{ pids: readonly number[] }>(child, "state");
  gateways.set(workers, { child, url, pids: [child.pid ?? 0, ...pids] });
}
try {
  for (const { name, connections, body, events } of CELLS) {
    const results = new Map(WORKERS.map((workers) => [workers, [] as Round[]]));
    // The first round warms the compiler up and is thrown away.
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [workers, { url, pids }] of gateways) {
        const before = cpuOf(pids);
        const result = await asked<LoadResult>(load, { target: url, connections, time: TIME, body });
        const cpu = (cpuOf(pids) - before) / result.requests / events;
        if (result.failures > 0) throw new Error(`${result.failures} requests failed in "${name}"`);
        if (round > 0) results.get(workers)?.push({ load: result, cpu });
      }
    }
    console.log(name);
    for (const [workers, rounds] of results) {
      const rate = median(rounds.map((round) => round.load.requests / round.load.seconds));
      const first = median(rounds.map((round) => round.load.firstP50));
      const late = median(rounds.map((round) => round.load.firstP99));
      console.log(
        `  ${workers} workers: ${rate.toFixed(0)} a second, first byte p50 ${first.toFixed(0)} µs, p99 ${late.toFixed(0)} µs, ` +
          `CPU ${median(rounds.map((round) => round.cpu)).toFixed(1)} µs/${events === 1 ? "request" : "event"}`,
      );
    }
  }
} finally {
  for (const { child } of gateways.values()) child.disconnect();
  for (const child of [stub, load]) child.disconnect();
  rmSync(folder, { recursive: true, force: true });
}
