import type { RequestRecord } from "../request-record.ts";

export type LogLevel = "debug" | "info" | "warning" | "error";

/** How severe a request is for the log: refusals are warnings, what broke on this side is an error. */
export function recordLevel({ outcome, status }: RequestRecord): LogLevel {
  if (outcome === "failed" || outcome === "cut" || status >= 500) return "error";
  return outcome === "refused" || status >= 400 ? "warning" : "info";
}
