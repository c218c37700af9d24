/**
 * What telemetry costs a request: processor time of `finished` with each of its parts and with all of them, the later work
 * of writing and sending included. Nanoseconds a request, median of nine rounds; `node bench/telemetry.ts`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { openRequests, openStore } from "../src/store/index.ts";
import { createTelemetry } from "../src/telemetry/index.ts";
import type { RequestRecord, TelemetryOptions } from "../src/telemetry/index.ts";
import { startCollector } from "../test/telemetry/otlp-collector.ts";
import { NAMES, record } from "../test/telemetry/records.ts";

const REQUESTS = 20_000;
const ROUNDS = 9;

const folder = mkdtempSync(join(tmpdir(), "omni-bench-"));
const store = openStore(folder);
const requests = openRequests(folder);
const collector = await startCollector();
const log = (format: "text" | "json"): Partial<TelemetryOptions> => ({
  logs: { access: true, level: "info", format, file: join(folder, "omni.log"), maxSize: 5e7, keep: 1 },
});
const traces: Partial<TelemetryOptions> = { traces: { otlp: collector.url, sampling: 0.1 } };

const CASES: Readonly<Record<string, Partial<TelemetryOptions>>> = {
  nothing: {},
  metrics: { metrics: true },
  "log as text": log("text"),
  "log as JSON": log("json"),
  "traces of a tenth": traces,
  rows: { requests },
  everything: { metrics: true, ...log("text"), ...traces, requests },
};

/** Processor time since `before`, nanoseconds a request. */
const since = (before: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / REQUESTS;
};
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const started = Date.now();
const requestOf = (number: number): RequestRecord =>
  record({
    id: `req-${number}`,
    started: started + number,
    duration: 100 + (number % 1000),
    tries: [{ service: "oracle", began: started, ended: started + 100 }],
  });

console.log("nanoseconds a request         in the call   with what follows");
for (const [name, parts] of Object.entries(CASES)) {
  const telemetry = createTelemetry({
    version: "bench",
    names: NAMES,
    metrics: false,
    tell: () => undefined,
    ...parts,
  });
  const called: number[] = [];
  const whole: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    for (let number = 0; number < REQUESTS; number++) {
      const request = requestOf(number);
      telemetry.meter.traceparent(request.id, undefined);
      telemetry.meter.finished(request);
    }
    called.push(since(before));
    await pause(400);
    whole.push(since(before));
  }
  console.log(
    `${name.padEnd(28)}${median(called).toFixed(0).padStart(13)}${median(whole).toFixed(0).padStart(20)}`,
  );
  await telemetry.close(5000);
}
await collector.close();
requests.close();
store.close();
rmSync(folder, { recursive: true });
