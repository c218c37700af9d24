import { CODES } from "../../core/index.ts";
import type { Code } from "../../core/index.ts";
import type { EngineFailure, ProcessExit } from "../engine.ts";
import { exitFailure } from "./exit-failure.ts";
import type { FailurePattern, FailureReading } from "./failure-pattern.ts";

/** Longest piece of an engine's own words in a message. */
const LONGEST = 400;
/** Characters of a line that are looked at; what engines say of their end is at its beginning. */
const LINE = 4096;

/**
 * What the end of an engine means: its own words first, because an exit code is the same for all causes, then the exit.
 * Engines over several processes say the cause first and its consequences later, so patterns go before lines.
 */
export function readFailure(
  { title, patterns, takesBack, echo }: FailureReading,
  exit: ProcessExit,
  lastLines: readonly string[],
): EngineFailure {
  const valid = takesBack === undefined ? 0 : lastLines.findLastIndex((line) => takesBack.test(line)) + 1;
  const lines = lastLines
    .slice(valid)
    .map((line) => (line.length > LINE ? line.slice(0, LINE) : line))
    .filter((line) => echo?.test(line) !== true);
  // What it survived is no cause of its end.
  for (const pattern of patterns.filter(({ goesOn }) => goesOn !== true)) {
    for (const line of lines) {
      const match = pattern.line.exec(line);
      if (match !== null) return failureOf(title, pattern, match);
    }
  }
  return exitFailure(title, exit, lastLines);
}

/**
 * What a line means that an engine writes while it serves. It is asked for every line of a log that may be long, so that
 * all patterns are one expression first, and only a line which that finds is read again.
 */
export function lineReading({
  title,
  patterns,
  echo,
}: FailureReading): (line: string) => EngineFailure | undefined {
  const serving = patterns.filter(({ serving: code }) => code !== undefined);
  if (serving.length === 0) return () => undefined;
  const flags = serving.some(({ line }) => line.ignoreCase) ? "i" : "";
  const any = new RegExp(serving.map(({ line }) => `(?:${line.source})`).join("|"), flags);
  return (whole) => {
    const line = whole.length > LINE ? whole.slice(0, LINE) : whole;
    if (!any.test(line) || echo?.test(line) === true) return undefined;
    for (const pattern of serving) {
      const match = pattern.line.exec(line);
      if (match !== null) return failureOf(title, pattern, match, pattern.serving);
    }
    return undefined;
  };
}

function failureOf(
  title: string,
  pattern: FailurePattern,
  match: RegExpExecArray,
  code: Code = pattern.code,
): EngineFailure {
  const text = filled(pattern.message, match).trim();
  const fitting = pattern.fittingTokens === undefined ? Number.NaN : Number(match[pattern.fittingTokens]);
  return {
    code,
    message: `${title}: ${/[.!?]$/.test(text) ? text : `${text}.`}`,
    hint: pattern.hint === undefined ? CODES[code].remedy : filled(pattern.hint, match),
    recoverable: pattern.recoverable,
    ...(pattern.goesOn === true ? { goesOn: true } : {}),
    ...(Number.isSafeInteger(fitting) && fitting > 0 ? { fittingTokens: fitting } : {}),
  };
}

/** A sentence with the groups of a match. The engine's words are cut where they go on and on. */
const filled = (sentence: string, match: RegExpExecArray): string =>
  sentence.replaceAll(/\$([\d&])/g, (_, group: string) =>
    (match[group === "&" ? 0 : Number(group)] ?? "").slice(0, LONGEST),
  );
