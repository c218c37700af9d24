import type { EngineDriver } from "../engine.ts";
import type { FailureReading } from "../failures/failure-pattern.ts";
import { lineReading, readFailure } from "../failures/read-failure.ts";

/** How a kind of engine fails, by the patterns that its starter reads too; `serving` where other lines tell while it serves. */
export const failuresBy = (
  reading: FailureReading,
  serving: FailureReading = reading,
): Pick<EngineDriver, "classifyExit" | "classifyLine"> => ({
  classifyExit: (exit, lastLines) => readFailure(reading, exit, lastLines),
  classifyLine: lineReading(serving),
});

/** Reads why an engine computes on the processor from the first line that says so. */
export const saidOnce =
  (sign: RegExp) =>
  (lines: readonly string[]): string | undefined => {
    for (const line of lines) {
      const said = sign.exec(line.slice(0, LINE))?.[0];
      if (said !== undefined) return `its log says: ${said.trim()}`;
    }
    return undefined;
  };

/** Characters of a line that are looked at; what engines say of their devices is at its beginning. */
const LINE = 16_384;
