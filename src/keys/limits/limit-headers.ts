import type { LimitState } from "./limits.ts";

/**
 * The limits as OpenAI names them (platform.openai.com/docs/guides/rate-limits), flat name and value pairs; empty for a
 * key without limits a minute.
 */
export function headersOf(state: LimitState): readonly string[] {
  const headers: string[] = [];
  for (const kind of ["requests", "tokens"] as const) {
    const found = state[kind];
    if (found === undefined) continue;
    headers.push(`x-ratelimit-limit-${kind}`, String(found.limit));
    headers.push(`x-ratelimit-remaining-${kind}`, String(found.remaining));
    headers.push(`x-ratelimit-reset-${kind}`, goDuration(found.reset));
  }
  return headers;
}

/** A duration as OpenAI writes it: `0s`, `350ms`, `1.5s`, `6m0s`. */
function goDuration(milliseconds: number): string {
  const whole = Math.ceil(milliseconds);
  if (whole <= 0) return "0s";
  if (whole < 1000) return `${whole}ms`;
  const minutes = Math.floor(whole / 60_000);
  const seconds = (whole - minutes * 60_000) / 1000;
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds}s`;
}
