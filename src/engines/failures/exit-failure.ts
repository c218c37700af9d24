import { CODES } from "../../core/index.ts";
import type { EngineFailure, ProcessExit } from "../engine.ts";

/** Signals by number, as shells and containers report them: 128 and the signal. */
const NUMBERED: Readonly<Record<number, NodeJS.Signals>> = {
  129: "SIGHUP",
  130: "SIGINT",
  132: "SIGILL",
  134: "SIGABRT",
  135: "SIGBUS",
  136: "SIGFPE",
  137: "SIGKILL",
  139: "SIGSEGV",
  143: "SIGTERM",
};

const SIGNAL_MEANING: Readonly<Partial<Record<NodeJS.Signals, string>>> = {
  SIGSEGV: "a memory fault in native code",
  SIGBUS: "a memory fault, often a model file that shrank or a disk that failed while mapped",
  SIGABRT: "native code gave up, often for want of memory",
  SIGILL: "an instruction this processor does not have",
  SIGFPE: "an arithmetic fault in native code",
};

/**
 * What an exit alone tells, for an engine whose words told nothing. An engine that serves has no reason to end, so code 0
 * is as much a crash as any other: vLLM leaves with it when its engine dies after the start (vLLM #48966).
 */
export function exitFailure(engine: string, exit: ProcessExit, lastLines: readonly string[]): EngineFailure {
  const signal = exit.signal ?? NUMBERED[exit.code ?? 0];
  if (signal !== undefined) return killedBy(engine, signal, lastLines);
  return {
    code: "engine.crashed",
    message: `${engine} ended by itself with exit code ${exit.code ?? "unknown"}${quoted(lastLines)}`,
    hint: CODES["engine.crashed"].remedy,
    recoverable: true,
  };
}

function killedBy(engine: string, signal: NodeJS.Signals, lastLines: readonly string[]): EngineFailure {
  if (signal === "SIGKILL") {
    return {
      code: "engine.killed",
      message: `${engine} was killed by SIGKILL, by a person or by the out-of-memory killer.`,
      hint: CODES["engine.killed"].remedy,
      recoverable: true,
    };
  }
  if (signal === "SIGTERM" || signal === "SIGINT" || signal === "SIGHUP") {
    return {
      code: "engine.killed",
      message: `${engine} was ended by ${signal} from outside Omni.`,
      hint: "Find who sent the signal; Omni starts the engine again.",
      recoverable: true,
    };
  }
  const meaning = SIGNAL_MEANING[signal];
  return {
    code: "engine.crashed",
    message: `${engine} crashed with ${signal}${meaning === undefined ? "" : ` (${meaning})`}${quoted(lastLines)}`,
    hint:
      signal === "SIGILL"
        ? "This build does not fit this processor; use another build, another machine or another engine."
        : CODES["engine.crashed"].remedy,
    recoverable: true,
  };
}

/** The last line that says anything, as the end of a sentence. */
export function quoted(lastLines: readonly string[]): string {
  const last = lastLines.findLast((line) => line.trim() !== "");
  return last === undefined ? " without a word." : `; its last line: ${last.slice(0, 300)}`;
}
