/**
 * What the gateway costs beside a plain proxy: the same load straight at a stub engine, through nginx and through Omni as
 * `omni up` runs it (one process; rules, fallbacks, a key with limits, usage, request rows, metrics and access log on),
 * interleaved in one run; medians over the rounds, least and greatest in brackets. All share the machine's cores, so
 * ratios are worth more than absolute figures, and CPU a request more than requests a second.
 * Usage: npm run bench:gateway [-- --rounds N] [--seconds N] [--only TEXT] [--portkey]; PORTKEY names a folder into which
 * npm installed @portkey-ai/gateway, `--portkey` fetches it.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import type { Measured, Order, Rig } from "./gateway-rig.ts";
import { startRig } from "./gateway-rig.ts";
import type { Proxy } from "./gateway-proxies.ts";
import { cpuOf, residentOf, startNginx, startOmni, startPortkey, stop } from "./gateway-proxies.ts";
import { median, range, Targets } from "./gateway-targets.ts";

const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    seconds: { type: "string", default: "2" },
    only: { type: "string", default: "" },
    portkey: { type: "boolean", default: false },
  },
});
const ROUNDS = Number(flags.rounds);
/** Requests, and streams, until nothing of the way through Omni is compiled anew. */
const WARM = 30_000;
const WARM_STREAMS = 4_000;
const MEMORY_ROUNDS = Math.min(3, ROUNDS);
const SECONDS = Number(flags.seconds);
const EVENTS = 66;
/** Milliseconds that one paced stream takes. */
const STREAM_TIME = 325;

const messages = [
  { role: "system", content: "You are a helpful assistant of this node. ".repeat(8) },
  { role: "user", content: "Which services run here, and what do they need? ".repeat(4) },
];
const request = (more: object): string => JSON.stringify({ model: "oracle", messages, ...more });
const plain = request({ temperature: 0 });

interface Cell extends Omit<Order, "seconds"> {
  readonly name: string;
  readonly events: number;
}

const CELLS: readonly Cell[] = [
  { name: "JSON, 1 connection", connections: 1, body: plain, events: 1 },
  { name: "JSON, 32 connections", connections: 32, body: plain, events: 1 },
  { name: "JSON, 256 connections", connections: 256, body: plain, events: 1 },
  { name: "JSON, 1000 a second", connections: 64, body: plain, events: 1, rate: 1000 },
  {
    name: "64 streams, 5 ms gaps",
    connections: 64,
    body: request({ stream: true, gap: 5 }),
    events: EVENTS,
    spread: STREAM_TIME,
  },
  { name: "16 streams, no gaps", connections: 16, body: request({ stream: true }), events: EVENTS },
];
const held = request({ stream: true, hold: true });

interface Round extends Measured {
  /** Microseconds a request, or an event of a stream. */
  readonly cpu: number;
}

async function measure(rig: Rig, proxy: Proxy, cell: Cell): Promise<Round> {
  const before = cpuOf(proxy);
  const result = await rig.measure(proxy, { ...cell, seconds: SECONDS });
  // That the peer fails is a result; that another does is a fault of the benchmark.
  if (result.failures > 0 && proxy.name !== "Portkey")
    throw new Error(`${result.failures} requests failed at ${proxy.name} in "${cell.name}"`);
  return { ...result, cpu: (cpuOf(proxy) - before) / result.requests / cell.events };
}

const targets = new Targets();

function report(cell: Cell, proxies: readonly Proxy[], rounds: ReadonlyMap<Proxy, readonly Round[]>): void {
  const streams = cell.events > 1;
  console.log(`\n${cell.name}`);
  for (const proxy of proxies) {
    const all = rounds.get(proxy) ?? [];
    const of = (pick: (round: Round) => number | undefined): number[] =>
      all.map((round) => pick(round) ?? Number.NaN);
    const rate = of(({ requests, seconds }) => requests / seconds);
    const figures = {
      rate,
      cpu: of(({ cpu }) => cpu),
      p50: of(({ firstP50, wholeP50 }) => (streams ? firstP50 : wholeP50)),
      p99: of(({ firstP99, wholeP99 }) => (streams ? firstP99 : wholeP99)),
    };
    targets.note(cell.name, proxy.name, figures);
    const words = [
      cell.rate === undefined ? `${range(rate, 0)} ${streams ? "streams/s" : "req/s"}` : "",
      `${streams ? "TTFT " : ""}p50 ${range(figures.p50, 0)} µs, p99 ${range(figures.p99, 0)} µs`,
      streams && rig.native
        ? `event delay p50 ${median(of(({ delayP50 }) => delayP50)).toFixed(0)} µs, p99 ${median(of(({ delayP99 }) => delayP99)).toFixed(0)} µs`
        : "",
      failed(all),
      proxy.child === undefined ? "" : `CPU ${range(figures.cpu, 1)} µs/${streams ? "event" : "request"}`,
    ];
    console.log(`  ${proxy.name.padEnd(8)} ${words.filter((word) => word !== "").join("; ")}`);
  }
}

const failed = (rounds: readonly Round[]): string => {
  const failures = rounds.reduce((sum, round) => sum + round.failures, 0);
  return failures === 0 ? "" : `${failures} FAILED`;
};

/** At least so many requests; a proxy that is a hundred times slower than others is not waited for. */
async function warmUp(
  rig: Rig,
  proxy: Proxy,
  body: string,
  connections: number,
  enough: number,
): Promise<void> {
  for (let done = 0; done < enough;) {
    done += (await rig.measure(proxy, { body, connections, seconds: 1 })).requests;
    if (proxy.name === "Portkey") break;
  }
}

/** What an open idle stream holds: fresh processes that have served a little, before and with the streams open. */
async function memory(folder: string, rig: Rig): Promise<void> {
  const rounds = new Map<string, number[]>();
  for (let round = 0; round < MEMORY_ROUNDS; round++) {
    for (const proxy of [await startNginx(folder, rig.stub), await startOmni(folder, rig.stub)]) {
      if (proxy === undefined) continue;
      try {
        await warmUp(rig, proxy, plain, 64, WARM);
        const before = residentOf(proxy);
        for (const streams of [1000, 5000]) {
          const open = await rig.hold(proxy, held, streams, () => residentOf(proxy));
          const name = `${proxy.name} at ${streams}`;
          rounds.set(name, [...(rounds.get(name) ?? []), (open - before) / streams]);
        }
      } finally {
        await stop(proxy);
      }
    }
  }
  console.log("\nResident memory of an open idle stream");
  for (const [name, all] of rounds) {
    console.log(`  ${name.padEnd(14)} ${range(all, 1)} kB`);
    targets.note("memory", name, { memory: all });
  }
}

const only = flags.only.toLowerCase();
const folder = mkdtempSync(join(tmpdir(), "omni-bench-"));
const rig = await startRig(folder);
const proxies: Proxy[] = [{ name: "direct", port: rig.stub }];
try {
  const nginx = await startNginx(folder, rig.stub);
  if (nginx === undefined) console.log("No nginx here: its column and the ratios to it are left out.");
  else proxies.push(nginx);
  proxies.push(await startOmni(folder, rig.stub));
  const installed = process.env["PORTKEY"];
  if ((flags.portkey || installed !== undefined) && rig.native)
    proxies.push(await startPortkey(folder, rig.stub, installed));
  const cells = CELLS.filter(
    ({ name, rate }) => name.toLowerCase().includes(only) && (rig.native || rate === undefined),
  );
  const rounds = new Map(
    cells.map((cell) => [cell, new Map(proxies.map((proxy) => [proxy, [] as Round[]]))]),
  );
  for (const proxy of proxies) {
    for (const [body, connections, enough] of [
      [plain, 32, WARM],
      [request({ stream: true }), 16, WARM_STREAMS],
    ] as const) {
      await warmUp(rig, proxy, body, connections, enough);
    }
  }
  // The first round warms connections and streams up and is thrown away.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [cell, results] of rounds) {
      for (const [proxy, all] of results) {
        const result = await measure(rig, proxy, cell);
        if (round > 0) all.push(result);
      }
    }
  }
  for (const [cell, results] of rounds) report(cell, proxies, results);
  if (rig.native && "memory".includes(only)) await memory(folder, rig);
  targets.print();
} finally {
  for (const proxy of proxies) await stop(proxy);
  rig.close();
  rmSync(folder, { recursive: true, force: true });
}
