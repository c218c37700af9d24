import { setTimeout as pause } from "node:timers/promises";
import { createTelemetry } from "../../src/telemetry/index.ts";
import { NAMES, record } from "../telemetry/records.ts";

/** A program that logs more to standard error than a pipe holds, and says how long its event loop stood still meanwhile. */
const telemetry = createTelemetry({
  version: "0.1.0",
  names: NAMES,
  metrics: false,
  logs: { access: true, level: "info", format: "text", maxSize: 1, keep: 1 },
  tell: () => undefined,
});
let slowest = 0;
let turns = 0;
for (; turns < 20; turns++) {
  const began = performance.now();
  for (let line = 0; line < 100; line++) telemetry.meter.finished(record());
  await pause(15);
  slowest = Math.max(slowest, performance.now() - began);
}
process.stdout.write(`${JSON.stringify({ turns, slowest })}\n`);
await telemetry.close(20_000);
