import { CODES } from "../../core/index.ts";
import type { EngineDriver, Health } from "../engine.ts";
import { VLLM_FAILURES } from "../failures/vllm-failures.ts";
import { metricsLoad } from "../metrics/engine-load.ts";
import { openAiProbe } from "../probes/openai-probe.ts";
import { type FlagStyle, unknownFlags } from "../program/unknown-flags.ts";
import { vllmTook } from "../took/vllm-took.ts";
import { notReady } from "./http-health.ts";
import { type LoadingPace, loadingTime } from "./loading-pace.ts";
import { failuresBy, saidOnce } from "./reading.ts";

/** vLLM says it of its platform when it is imported, and of its device in the configuration that it prints. */
export const VLLM_ON_PROCESSOR =
  /Automatically detected platform cpu|vLLM is running on UnspecifiedPlatform|\bdevice_config=(?:device\(type=')?cpu|Using (?:Torch SDPA|CPU_ATTN|CPU) (?:attention )?backend/;

/**
 * Estimates for a start without caches: importing and building the workers, reading, then compiling, profiling and graphs.
 * torch.compile alone took 55 s for a 70B (vLLM #12569), a whole cold start 277 s on an RTX 5090 (#44881).
 */
export const VLLM_PACE: LoadingPace = { start: 30_000, bytesPerSecond: 1e9, graphs: 60_000 };

/** `vllm serve`. It listens when the model is loaded, so that a start reads as unreachable until it is ready. */
export const vllmDriver: EngineDriver = {
  kind: "vllm",
  title: "vLLM",
  listensOnSocket: false,
  healthPath: "/health",
  readHealth,
  probe: openAiProbe,
  load: metricsLoad("vllm", { method: "GET", path: "/metrics" }),
  // Level 1: weights go to main memory and the cache is dropped. The routes exist in development mode only, which opens
  // others with them (vllm/entrypoints/serve/sleep/api_router.py): never let it listen beyond this machine.
  sleep: {
    sleep: { method: "POST", path: "/sleep?level=1" },
    wake: { method: "POST", path: "/wake_up" },
    arguments: ["--enable-sleep-mode"],
    environment: { VLLM_SERVER_DEV_MODE: "1" },
  },
  ...failuresBy(VLLM_FAILURES),
  readTook: vllmTook,
  onProcessorInstead: saidOnce(VLLM_ON_PROCESSOR),
  program: {
    versionArguments: ["--version"],
    readVersion: (output) => /^(?:vllm\s+)?v?(\d+\.\d+[\w.+-]*)\s*$/m.exec(output)?.[1],
    // Newer releases list only groups of flags without `=all`, and older ones refuse it, which reads as no help at all.
    helpArguments: ["serve", "--help=all"],
    unknownFlags: (help, command) => unknownFlags(FLAGS, help, command),
  },
  loadTime: loadingTime(VLLM_PACE),
};

/** 503 is its answer when the engine behind the HTTP server has died (EngineDeadError in api_server.py). */
function readHealth(status: number, body: string): Health {
  if (status === 200) return { state: "ready" };
  if (status !== 503) return notReady("/health", status, body);
  return {
    state: "failed",
    failure: {
      code: "engine.core-dead",
      message: "vLLM: GET /health answered 503: what computes behind it has died.",
      hint: CODES["engine.core-dead"].remedy,
      recoverable: true,
    },
  };
}

const FLAGS: FlagStyle = {
  knownBy: ["--port", "--max-model-len", "--served-model-name"],
  argumentsOf: (command) => {
    const serve = command.indexOf("serve");
    return serve === -1 ? undefined : command.slice(serve + 1);
  },
  python: true,
};
