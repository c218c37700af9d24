/**
 * What the console costs a node that serves nothing else: processor time of the node's own process as a share of one core,
 * with nobody reading its stream, with one reader, with ten, and the same while it tells 2 000 events a minute. Engines are
 * processes of their own and not counted. SECONDS=30 for each by default; `node bench/console.ts`.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { get } from "node:http";
import type { ClientRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { readNodeRecord } from "../src/store/index.ts";

const SECONDS = Number(process.env["SECONDS"] ?? 30);
const EVENTS_A_MINUTE = 2000;
const ROOT = join(import.meta.dirname, "..");

const CASES = [
  { readers: 0, events: false },
  { readers: 1, events: false },
  { readers: 10, events: false },
  { readers: 0, events: true },
  { readers: 1, events: true },
  { readers: 10, events: true },
] as const;

/** Seconds of processor time of a process, all its threads together (Documentation/scheduler/sched-stats). */
const used = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`)
    .map((task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]))
    .reduce((sum, own) => sum + own / 1e9, 0);

interface Reader {
  readonly request: ClientRequest;
  bytes: number;
}

async function read(url: string): Promise<Reader> {
  const request = get(`${url}/api/stream`);
  const reader: Reader = { request, bytes: 0 };
  const [answer] = await once(request, "response");
  answer.on("data", (part: Buffer) => (reader.bytes += part.length));
  answer.on("error", () => {});
  request.on("error", () => {});
  return reader;
}

/** Orders that are refused and told as events, spread over time: they are what comes without an engine's work. */
async function tell(url: string, service: string, until: number): Promise<number> {
  const began = performance.now();
  let told = 0;
  while (performance.now() < until) {
    const order = await fetch(`${url}/api/services/${service}/step-up`, { method: "POST" });
    await order.arrayBuffer();
    told++;
    await pause(Math.max(0, began + (told * 60_000) / EVENTS_A_MINUTE - performance.now()));
  }
  return told;
}

async function measure(url: string, pid: number, { readers, events }: (typeof CASES)[number]): Promise<void> {
  const all = await Promise.all(Array.from({ length: readers }, () => read(url)));
  // Who begins gets everything once, and what runs for the first time is compiled.
  await pause(3000);
  const before = {
    cpu: used(pid),
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    at: performance.now(),
  };
  const until = before.at + SECONDS * 1000;
  const told = events ? await tell(url, "omni-demo", until) : 0;
  await pause(Math.max(0, until - performance.now()));
  const seconds = (performance.now() - before.at) / 1000;
  const share = ((used(pid) - before.cpu) / seconds) * 100;
  const bytes = all.reduce((sum, one) => sum + one.bytes, 0) - before.bytes;
  for (const { request } of all) request.destroy();
  const a = readers === 0 ? 0 : bytes / readers / seconds / 1024;
  console.log(
    `${String(readers).padStart(7)} ${String(Math.round((told / seconds) * 60)).padStart(15)} ${share.toFixed(2).padStart(16)} ${a.toFixed(2).padStart(18)}`,
  );
}

const state = mkdtempSync(join(tmpdir(), "omni-bench-"));
const node = spawn(process.execPath, [join(ROOT, "src/cli/main.ts"), "up", "--port", "0"], {
  env: { ...process.env, OMNI_STATE: state },
  stdio: "ignore",
});
try {
  let url: string | undefined;
  while (url === undefined || !(await fetch(`${url}/readyz`)).ok) {
    await pause(100);
    url = readNodeRecord(state)?.url;
  }
  // The first looks of a node compile what they run.
  await pause(10_000);
  console.log("readers   events a min   % of one core   KiB/s to a reader");
  for (const one of CASES) await measure(url, node.pid ?? 0, one);
} finally {
  node.kill("SIGINT");
  await once(node, "exit");
  rmSync(state, { recursive: true, force: true });
}
