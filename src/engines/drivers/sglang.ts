import type { EngineDriver } from "../engine.ts";
import { SGLANG_FAILURES } from "../failures/sglang-failures.ts";
import { metricsLoad } from "../metrics/engine-load.ts";
import { openAiProbe } from "../probes/openai-probe.ts";
import { type FlagStyle, unknownFlags } from "../program/unknown-flags.ts";
import { sglangTook } from "../took/sglang-took.ts";
import { readyBy200 } from "./http-health.ts";
import { loadingTime } from "./loading-pace.ts";
import { failuresBy, saidOnce } from "./reading.ts";

const FLAGS: FlagStyle = {
  knownBy: ["--port", "--model-path", "--mem-fraction-static"],
  argumentsOf: (command) => {
    const at = command.findIndex((word) => word === "sglang.launch_server" || word === "serve");
    return at === -1 ? undefined : command.slice(at + 1);
  },
  python: true,
};

/**
 * SGLang's server. `/health` is 503 until it has warmed up. Left alone it then waits for a token of the scheduler, at least
 * a second and up to twenty, so that a long prompt would look like death: it is told not to. `/health_generate` waits in
 * any case; the probe and the figures tell a scheduler that stands still (srt/entrypoints/http_server.py).
 */
export const sglangDriver: EngineDriver = {
  kind: "sglang",
  title: "SGLang",
  listensOnSocket: false,
  healthPath: "/health",
  readHealth: readyBy200("/health"),
  probe: openAiProbe,
  load: metricsLoad("sglang", { method: "GET", path: "/metrics" }),
  ...failuresBy(SGLANG_FAILURES),
  readTook: sglangTook,
  watchEnvironment: { SGLANG_ENABLE_HEALTH_ENDPOINT_GENERATION: "false" },
  onProcessorInstead: saidOnce(/\bdevice='cpu'|Torch not compiled with CUDA enabled/),
  // Asked of the interpreter that starts it. Where the program is SGLang's own it does not understand this, and tells nothing.
  program: {
    versionArguments: ["-c", "import sglang; print(sglang.__version__)"],
    readVersion: (output) => /^v?(\d+\.\d+[\w.+-]*)\s*$/m.exec(output)?.[1],
    helpArguments: ["-m", "sglang.launch_server", "--help"],
    unknownFlags: (help, command) => unknownFlags(FLAGS, help, command),
  },
  // Estimates: importing and NCCL, reading, then graphs for each size of a batch (11 s for 36 sizes in sglang #12978).
  loadTime: loadingTime({ start: 25_000, bytesPerSecond: 1e9, graphs: 20_000 }),
};
