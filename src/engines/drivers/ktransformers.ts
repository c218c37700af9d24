import type { EngineDriver, Health } from "../engine.ts";
import { KTRANSFORMERS_FAILURES } from "../failures/sglang-failures.ts";
import { loadingTime } from "./loading-pace.ts";
import { failuresBy } from "./reading.ts";
import { sglangDriver } from "./sglang.ts";

/** KTransformers: SGLang's server with experts in main memory; what it is asked and how it answers is SGLang's. */
export const ktransformersDriver: EngineDriver = {
  ...sglangDriver,
  kind: "ktransformers",
  title: "KTransformers",
  readHealth,
  ...failuresBy(KTRANSFORMERS_FAILURES),
  // Estimates: experts are rearranged for the processor's kernels as they are read, on every NUMA node.
  loadTime: loadingTime({ start: 30_000, bytesPerSecond: 0.6e9, graphs: 20_000 }),
};

/** Its own server, before 0.4, has no `/health`: it listens when the model is loaded, and answers that there is none. */
const readHealth404 = (body: string): boolean => /"detail"\s*:\s*"Not Found"/.test(body);

function readHealth(status: number, body: string): Health {
  if (status === 404 && readHealth404(body)) return { state: "ready" };
  return sglangDriver.readHealth(status, body);
}
