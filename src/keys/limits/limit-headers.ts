import type { LimitState, Standing } from "./limits.ts";

/** Of a key without limits a minute. */
const NONE: readonly string[] = [];

/**
 * The limits as OpenAI names them (platform.openai.com/docs/guides/rate-limits), flat name and value pairs; empty for a
 * key without limits a minute.
 */
export function headersOf({ requests, tokens }: LimitState): readonly string[] {
  if (requests === undefined && tokens === undefined) return NONE;
  const headers: string[] = [];
  if (requests !== undefined)
    put(
      headers,
      requests,
      "x-ratelimit-limit-requests",
      "x-ratelimit-remaining-requests",
      "x-ratelimit-reset-requests",
    );
  if (tokens !== undefined)
    put(
      headers,
      tokens,
      "x-ratelimit-limit-tokens",
      "x-ratelimit-remaining-tokens",
      "x-ratelimit-reset-tokens",
    );
  return headers;
}

function put(headers: string[], of: Standing, limit: string, remaining: string, reset: string): void {
  headers.push(limit, limitText(of.limit), remaining, String(of.remaining), reset, goDuration(of.reset));
}

/** Limits are few, and each of them is shown with every answer. */
const LIMIT_TEXTS = new Map<number, string>();
const MOST_TEXTS = 1000;

function limitText(limit: number): string {
  let text = LIMIT_TEXTS.get(limit);
  if (text === undefined) {
    text = String(limit);
    if (LIMIT_TEXTS.size >= MOST_TEXTS) LIMIT_TEXTS.clear();
    LIMIT_TEXTS.set(limit, text);
  }
  return text;
}

/** A duration as OpenAI writes it: `0s`, `350ms`, `1.5s`, `6m0s`. */
function goDuration(milliseconds: number): string {
  const whole = Math.ceil(milliseconds);
  if (whole <= 0) return "0s";
  if (whole < 1000) return `${whole}ms`;
  const minutes = Math.floor(whole / 60_000);
  const seconds = secondsText(whole - minutes * 60_000);
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds}s`;
}

/** Thousandths as seconds, put together of whole numbers: V8 takes ten times as long to write any other. */
function secondsText(milliseconds: number): string {
  const whole = Math.floor(milliseconds / 1000);
  const rest = milliseconds - whole * 1000;
  if (rest === 0) return String(whole);
  if (rest % 100 === 0) return `${whole}.${rest / 100}`;
  const zeros = rest < 10 ? "00" : rest < 100 ? "0" : "";
  return rest % 10 === 0 ? `${whole}.${zeros}${rest / 10}` : `${whole}.${zeros}${rest}`;
}
