import type { EngineDriver, Health } from "../engine.ts";
import { LLAMA_CPP_FAILURES } from "../failures/llama-cpp-failures.ts";
import { metricsLoad } from "../metrics/engine-load.ts";
import { openAiProbe } from "../probes/openai-probe.ts";
import { type FlagStyle, unknownFlags } from "../program/unknown-flags.ts";
import { llamaCppOnProcessor } from "../took/llama-cpp-on-processor.ts";
import { llamaCppTook } from "../took/llama-cpp-took.ts";
import { notReady } from "./http-health.ts";
import { loadingTime } from "./loading-pace.ts";
import { failuresBy } from "./reading.ts";

/**
 * llama-server. Its metrics have no gauge of the cache since 2025 (`kv_cache_usage_ratio`), and `/slots`, which tells of
 * single slots, is another request: KV use is absent with newer builds.
 */
export const llamaCppDriver: EngineDriver = {
  kind: "llama.cpp",
  title: "llama-server",
  // It can (`--host PATH.sock`), but the command line of its starter says a port.
  listensOnSocket: false,
  healthPath: "/health",
  readHealth,
  probe: openAiProbe,
  load: metricsLoad("llama.cpp", { method: "GET", path: "/metrics" }),
  ...failuresBy(LLAMA_CPP_FAILURES),
  readTook: llamaCppTook,
  onProcessorInstead: llamaCppOnProcessor,
  // Buffers and devices are named from level 4 on (common/log.h, 2026); builds before do not read this and always name them.
  watchEnvironment: { LLAMA_ARG_LOG_VERBOSITY: "4" },
  program: {
    versionArguments: ["--version"],
    readVersion,
    helpArguments: ["--help"],
    unknownFlags: (help, command) => unknownFlags(FLAGS, help, command),
  },
  // Estimates: files are mapped and copied to the cards at the pace of an NVMe disk; warming up is one empty run.
  loadTime: loadingTime({ start: 2500, bytesPerSecond: 1.5e9 }),
};

/** 503 with `Loading model` until the weights are in (tools/server/README.md). */
function readHealth(status: number, body: string): Health {
  if (status === 200) return { state: "ready" };
  if (status === 503 && /"Loading model"/i.test(body)) return { state: "loading" };
  return notReady("/health", status, body);
}

/** `version: 0.5.0-dev (build 1, commit de3ff81)`, before releases `version: 6325 (4efd5a8)`: the latter as `b6325`. */
function readVersion(output: string): string | undefined {
  const said = /^version: (\S+)/m.exec(output)?.[1];
  return said !== undefined && /^\d+$/.test(said) ? `b${said}` : said;
}

const FLAGS: FlagStyle = { knownBy: ["--model", "--port", "--ctx-size"], argumentsOf, python: false };

/** What follows the program: by itself, or within the shell that finds a GGUF file in a folder. */
function argumentsOf(command: readonly string[]): readonly string[] | undefined {
  const named = command.findIndex((word) => /(?:^|\/)llama-server[\w.-]*$/.test(word));
  if (named !== -1) return command.slice(named + 1);
  const shell = /(?:^|\/)(?:ba|da|z)?sh$/.test(command[0] ?? "");
  if (!shell) return command.slice(1);
  return command[3] === "omni" ? command.slice(5) : undefined;
}
