/**
 * What telemetry costs a request: processor time of `finished` with each of its parts and with all of them, the later work
 * of writing and sending included, and what it leaves to the garbage collector. Median of five rounds; `node bench/telemetry.ts`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { getHeapStatistics } from "node:v8";
import { openKeys } from "../src/keys/index.ts";
import type { UsageBook } from "../src/keys/index.ts";
import { openRequests, openStore } from "../src/store/index.ts";
import { createTelemetry } from "../src/telemetry/index.ts";
import type { RequestRecord, Telemetry, TelemetryOptions } from "../src/telemetry/index.ts";
import { startCollector } from "../test/telemetry/otlp-collector.ts";
import { NAMES, record } from "../test/telemetry/records.ts";

const REQUESTS = 5000;
const ROUNDS = 5;
/** Requests between two turns of the event loop, and the milliseconds of that: five thousand a second at most. */
const TURN = 25;
const PAUSE = 5;

const folder = mkdtempSync(join(tmpdir(), "omni-bench-"));
const store = openStore(folder);
const requests = openRequests(folder);
const keys = await openKeys({ folder }, { spec: [], retention: 1e10, onEvent: () => undefined });
const collector = await startCollector();
const log = (format: "text" | "json"): Partial<TelemetryOptions> => ({
  logs: { access: true, level: "info", format, file: join(folder, "omni.log"), maxSize: 5e7, keep: 1 },
});
const traces: Partial<TelemetryOptions> = { traces: { otlp: collector.url, sampling: 0.1 } };

const CASES: Readonly<Record<string, Partial<TelemetryOptions> & { readonly usage?: true }>> = {
  nothing: {},
  metrics: { metrics: true },
  "log as text": log("text"),
  "log as JSON": log("json"),
  "traces of a tenth": traces,
  rows: { requests },
  usage: { usage: true },
  "as it is by default": { metrics: true, ...log("text"), requests, usage: true },
  "the same, JSON": { metrics: true, ...log("json"), requests, usage: true },
  everything: { metrics: true, ...log("text"), ...traces, requests, usage: true },
};

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const allocated = (): number => getHeapStatistics().total_allocated_bytes;

const started = Date.now();
/** Made before they are told: what a request's record costs is not telemetry's. */
const records = Array.from({ length: 512 }, (_, number): RequestRecord =>
  record({
    id: `req_6c84fb90-12c4-4be1-840d-7b25c5ee7${number + 100}`,
    started: started + number,
    duration: 100 + (number % 1000) * 1.137,
    key: number % 8 === 0 ? "bob" : "alice",
    tries: [{ service: "oracle", began: started, ended: started + 100 }],
  }),
);

interface Cost {
  /** Nanoseconds of this thread in the calls, and of the whole process until all is written. */
  readonly called: number;
  readonly whole: number;
  /** Bytes of this thread's garbage. */
  readonly garbage: number;
}

/** As a node takes them: a few at a time, with the event loop between. */
async function round(telemetry: Telemetry, usage: UsageBook | undefined): Promise<Cost> {
  const before = process.cpuUsage();
  const bytes = allocated();
  let called = 0;
  for (let turn = 0; turn < REQUESTS / TURN; turn++) {
    const began = process.threadCpuUsage();
    for (let number = 0; number < TURN; number++) {
      const one = records[(turn * TURN + number) % records.length];
      if (one === undefined) continue;
      telemetry.meter.traceparent(one.id, undefined);
      telemetry.meter.finished(one);
      usage?.record({ key: one.key, model: "m", service: "oracle", promptTokens: 9, completionTokens: 9 });
    }
    const { user, system } = process.threadCpuUsage(began);
    called += user + system;
    await pause(PAUSE);
  }
  // What the loop itself leaves is in the line "nothing" too.
  const garbage = allocated() - bytes;
  await pause(400);
  const { user, system } = process.cpuUsage(before);
  return {
    called: (called * 1000) / REQUESTS,
    whole: ((user + system) * 1000) / REQUESTS,
    garbage: garbage / REQUESTS,
  };
}

console.log("a request: nanoseconds        in the call   with all that follows   bytes of garbage");
for (const [name, { usage, ...parts }] of Object.entries(CASES)) {
  const telemetry = createTelemetry({
    version: "bench",
    names: NAMES,
    metrics: false,
    tell: ({ message }) => console.log(`  ${message}`),
    ...parts,
  });
  const costs: Cost[] = [];
  for (let number = 0; number < ROUNDS; number++)
    costs.push(await round(telemetry, usage === true ? keys.usage : undefined));
  const of = (what: keyof Cost): string => median(costs.map((cost) => cost[what])).toFixed(0);
  console.log(
    `${name.padEnd(28)}${of("called").padStart(13)}${of("whole").padStart(24)}${of("garbage").padStart(19)}`,
  );
  await telemetry.close(5000);
}
await collector.close();
await keys.close();
await requests.close();
store.close();
rmSync(folder, { recursive: true });
