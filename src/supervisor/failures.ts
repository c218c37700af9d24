import { CODES, OmniError, formatDuration, messageOf } from "../core/index.ts";
import type { EngineFailure } from "../engines/engine.ts";
import type { RestartPolicy } from "../plan/plan.ts";

/** The engine was not ready `passed` ms after its start. */
export function startTimeout(passed: number, progress: number | undefined): EngineFailure {
  const loaded = progress === undefined ? "" : `, at ${Math.round(progress * 100)} % of the load`;
  return {
    code: "engine.start-timeout",
    message: `It was not ready after ${formatDuration(passed)}${loaded}.`,
    hint: CODES["engine.start-timeout"].remedy,
    recoverable: true,
  };
}

/** The engine's process lives, but `looks` looks over `silence` ms had no answer. */
export function hung(silence: number, looks: number, reason: string): EngineFailure {
  return {
    code: "engine.hung",
    message: `Its process lives but did not answer ${looks} health probes in ${formatDuration(silence)}: ${reason}.`,
    hint: CODES["engine.hung"].remedy,
    recoverable: true,
  };
}

/** Two first requests after a start had no good answer. */
export const noFirstAnswer = (fault: string): EngineFailure => ({
  code: "engine.wrong-answer",
  message: `It says that it is ready, but does not answer a request for one token: ${fault}.`,
  hint: CODES["engine.wrong-answer"].remedy,
  recoverable: true,
});

/** It was asked to wake up. */
export const notWoken = (fault: string): EngineFailure => ({
  code: "engine.stalled",
  message: `It did not wake up: ${fault}.`,
  hint: CODES["engine.stalled"].remedy,
  recoverable: true,
});

/** The restart budget is spent; `cause` is the last failure and stays in the text. */
export function gaveUpAfter(cause: EngineFailure, failures: number, budget: RestartPolicy): EngineFailure {
  const times = failures === 1 ? "once" : `${failures} times`;
  return {
    code: "engine.gave-up",
    message: `It failed ${times} within ${formatDuration(budget.window)}; its budget is ${budget.restarts} restarts. The last failure: ${cause.message}`,
    hint: cause.hint,
    recoverable: false,
  };
}

/** A start that threw before there was a process. */
export function notStarted(thrown: unknown): EngineFailure {
  const code = thrown instanceof OmniError ? thrown.code : "engine.not-started";
  return {
    code,
    message: messageOf(thrown),
    hint: thrown instanceof OmniError ? thrown.hint : CODES[code].remedy,
    recoverable: CODES[code].exit !== 2,
  };
}
