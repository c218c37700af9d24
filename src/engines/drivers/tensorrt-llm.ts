import type { EngineDriver } from "../engine.ts";
import { TENSORRT_LLM_FAILURES } from "../failures/python-failures.ts";
import { metricsLoad } from "../metrics/engine-load.ts";
import { openAiProbe } from "../probes/openai-probe.ts";
import { tensorrtLlmTook } from "../took/tensorrt-llm-took.ts";
import { readyBy200 } from "./http-health.ts";
import { loadingTime } from "./loading-pace.ts";
import { failuresBy } from "./reading.ts";

/** `trtllm-serve`. Its metrics are there when it was started with `return_perf_metrics`, from 1.1 on, and gauges from 1.2. */
export const tensorrtLlmDriver: EngineDriver = {
  kind: "tensorrt-llm",
  title: "TensorRT-LLM",
  listensOnSocket: false,
  healthPath: "/health",
  readHealth: readyBy200("/health"),
  probe: openAiProbe,
  load: metricsLoad("tensorrt-llm", { method: "GET", path: "/prometheus/metrics" }),
  ...failuresBy(TENSORRT_LLM_FAILURES),
  readTook: tensorrtLlmTook,
  // It has no code for a processor.
  onProcessorInstead: () => undefined,
  // Estimates: MPI and imports, reading, then a trial of the cache, tuning of kernels and graphs.
  loadTime: loadingTime({ start: 40_000, bytesPerSecond: 1e9, graphs: 40_000 }),
};
