import { CODES } from "../../core/index.ts";
import type { EngineFailure, ProcessExit } from "../engine.ts";
import { exitFailure } from "./exit-failure.ts";
import type { FailurePattern, FailureReading } from "./failure-pattern.ts";

/** Longest piece of an engine's own words in a message. */
const LONGEST = 400;

/**
 * What the end of an engine means: its own words first, because an exit code is the same for all causes, then the exit.
 * Engines over several processes say the cause first and its consequences later, so patterns go before lines.
 */
export function readFailure(
  { title, patterns, harmless }: FailureReading,
  exit: ProcessExit,
  lastLines: readonly string[],
): EngineFailure {
  const lines = harmless === undefined ? lastLines : lastLines.filter((line) => !harmless.test(line));
  for (const pattern of patterns) {
    for (const line of lines) {
      const match = pattern.line.exec(line);
      if (match !== null) return failureOf(title, pattern, match);
    }
  }
  return exitFailure(title, exit, lastLines);
}

function failureOf(title: string, pattern: FailurePattern, match: RegExpExecArray): EngineFailure {
  const text = filled(pattern.message, match).trim();
  return {
    code: pattern.code,
    message: `${title}: ${/[.!?]$/.test(text) ? text : `${text}.`}`,
    hint: pattern.hint === undefined ? CODES[pattern.code].remedy : filled(pattern.hint, match),
    recoverable: pattern.recoverable,
  };
}

/** A sentence with the groups of a match. The engine's words are cut where they go on and on. */
const filled = (sentence: string, match: RegExpExecArray): string =>
  sentence.replaceAll(/\$([\d&])/g, (_, group: string) =>
    (match[group === "&" ? 0 : Number(group)] ?? "").slice(0, LONGEST),
  );
