import type { LoggingLevel } from "@modelcontextprotocol/server";

/** From the least severe on (RFC 5424). */
const ORDER: readonly LoggingLevel[] = [
  "debug",
  "info",
  "notice",
  "warning",
  "error",
  "critical",
  "alert",
  "emergency",
];
const LEVELS: ReadonlySet<unknown> = new Set(ORDER);

export const isLevel = (value: unknown): value is LoggingLevel => LEVELS.has(value);

/** Whether a message of `level` goes to who wants `least` and worse; nobody wants any without it. */
export function isWanted(level: LoggingLevel, least: LoggingLevel | undefined): boolean {
  return least !== undefined && ORDER.indexOf(level) >= ORDER.indexOf(least);
}
