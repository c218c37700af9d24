import { fileURLToPath } from "node:url";
import type { Code, LocalAddress } from "../core/index.ts";
import { CODES, siblingProgram } from "../core/index.ts";
import type { PlannedService } from "../plan/plan.ts";
import { exitFailure, quoted } from "./failures/exit-failure.ts";
import { loadingTime } from "./drivers/loading-pace.ts";
import type { EngineDriver, EngineFailure, EngineLoad, Health, ProcessExit } from "./engine.ts";
import { asObject, type JsonObject, parseJson } from "./json-object.ts";
import { present } from "./metrics/engine-load.ts";
import { openAiProbe } from "./probes/openai-probe.ts";

const MAIN = fileURLToPath(siblingProgram(import.meta.url, "../embedded/main"));

/** llama.cpp in a child process of our own, over node-llama-cpp: `src/embedded/`. */
export const embedded: EngineDriver = {
  kind: "embedded",
  title: "The embedded engine",
  listensOnSocket: true,
  healthPath: "/health",
  readHealth,
  probe: openAiProbe,
  load: { request: { method: "GET", path: "/slots" }, read: readSlots },
  classifyExit,
  classifyLine: () => undefined,
  readTook: () => ({ devices: [] }),
  onProcessorInstead: () => undefined,
  // Estimates: Node and the native library start in half a second; weights are read rather than mapped, 1 GB a second.
  loadTime: loadingTime({ start: 1000, bytesPerSecond: 1e9 }),
};

/** `/slots` counts tokens as they are computed, so that a long prompt moves it as well. */
function readSlots(body: string): EngineLoad {
  const slots = asObject(parseJson(body));
  const figure = (name: string): number | undefined => {
    const value = slots?.[name];
    return typeof value === "number" ? value : undefined;
  };
  const used = figure("context_tokens_used");
  const whole = figure("context_tokens");
  const promptTokens = figure("prompt_tokens_total");
  const generatedTokens = figure("generated_tokens_total");
  return present({
    running: figure("running"),
    waiting: figure("waiting"),
    kvUsed: used === undefined || whole === undefined || whole <= 0 ? undefined : Math.min(1, used / whole),
    promptTokens,
    generatedTokens,
    preempted: undefined,
    progress:
      promptTokens === undefined || generatedTokens === undefined
        ? undefined
        : promptTokens + generatedTokens,
  });
}

/** Program and arguments of the embedded engine for a placement. */
export function embeddedCommand(
  service: PlannedService,
  address: LocalAddress,
): readonly [string, ...string[]] {
  const listen =
    address.kind === "unix" ? { socket: address.path } : { host: address.host, port: address.port };
  const options = {
    model: service.model.path,
    alias: service.model.name,
    ...listen,
    context: service.contextTokens,
    parallel: service.parallel,
    queue: service.queueLimit,
    threads: service.threads > 0 ? service.threads : "auto",
  };
  return [process.execPath, MAIN, ...pairs(options), ...service.extraArguments];
}

const pairs = (options: Readonly<Record<string, string | number>>): string[] =>
  Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);

function readHealth(status: number, body: string): Health {
  const answer = asObject(parseJson(body));
  if (status === 200 && answer?.["status"] === "ok") return { state: "ready" };
  if (answer?.["status"] === "loading") {
    const progress = answer["progress"];
    return typeof progress === "number" ? { state: "loading", progress } : { state: "loading" };
  }
  const failure = answer?.["status"] === "failed" ? reportedFailure(answer["error"]) : undefined;
  if (failure !== undefined) return { state: "failed", failure };
  return { state: "unreachable", reason: `GET /health answered ${status} with ${body.slice(0, 120)}` };
}

function classifyExit(exit: ProcessExit, lastLines: readonly string[]): EngineFailure {
  const reported = lastLines.map(reportOf).findLast((line) => line?.["event"] === "failed");
  const failure = reportedFailure(reported);
  if (failure !== undefined) return exit.code === 2 ? { ...failure, recoverable: false } : failure;
  if (exit.code === 2) {
    return {
      code: "engine.load-failed",
      message: `The embedded engine refused its input${quoted(lastLines)}`,
      hint: CODES["engine.load-failed"].remedy,
      recoverable: false,
    };
  }
  return exitFailure("The embedded engine", exit, lastLines);
}

/** Reads `{code, message, hint}` as the engine writes it; a code that is not registered becomes a load failure. */
function reportedFailure(reported: unknown): EngineFailure | undefined {
  if (typeof reported !== "object" || reported === null) return undefined;
  const { code, message, hint } = reported as Partial<Record<"code" | "message" | "hint", unknown>>;
  if (typeof message !== "string") return undefined;
  const known: Code = isCode(code) ? code : "engine.load-failed";
  return {
    code: known,
    message,
    hint: typeof hint === "string" ? hint : CODES[known].remedy,
    recoverable: CODES[known].exit !== 2,
  };
}

const isCode = (text: unknown): text is Code => typeof text === "string" && Object.hasOwn(CODES, text);

/** A line of the log as an object, where it is one; most are not, and are not parsed. */
const reportOf = (line: string): JsonObject | undefined =>
  line.startsWith("{") ? asObject(parseJson(line)) : undefined;
