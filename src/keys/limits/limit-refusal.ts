import { formatCount, formatDuration } from "../../core/index.ts";
import type { KeyLimits } from "../caller.ts";
import type { KeyRefusal } from "../key-gate.ts";

const WHAT: Readonly<Record<keyof KeyLimits, string>> = {
  requestsPerMinute: "requests a minute",
  tokensPerMinute: "tokens a minute",
  tokensPerDay: "tokens a day",
  tokensPerMonth: "tokens a month",
  concurrent: "requests at the same time",
};

/** How an allowance stands when a request does not fit in it. */
export interface Shortage {
  readonly key: string;
  readonly kind: keyof KeyLimits;
  readonly limit: number;
  /** Used or reserved now. */
  readonly used: number;
  /** What the request would take. */
  readonly wanted: number;
  /** Milliseconds until it would fit. */
  readonly wait: number;
}

const isBudget = (kind: keyof KeyLimits): boolean => kind === "tokensPerDay" || kind === "tokensPerMonth";

/** The refusal of a request, with its arithmetic. One that can never fit is given no time to come back. */
export function refusalFor({ key, kind, limit, used, wanted, wait }: Shortage): KeyRefusal {
  const may = `The key ${key} may have ${formatCount(limit)} ${WHAT[kind]}`;
  const code = isBudget(kind) ? "quota_exceeded" : "rate_limit_exceeded";
  if (wanted > limit) {
    return {
      status: 429,
      code,
      message: `${may}; this request alone takes at least ${formatCount(wanted)}, so it never fits. Shorten the prompt.`,
    };
  }
  const retryAfter = Math.max(1, Math.ceil(wait / 1000));
  const takes = kind.startsWith("tokens") ? ` and this one takes at least ${formatCount(wanted)}` : "";
  const taken = kind === "concurrent" ? "are running" : "are used or promised";
  const when =
    kind === "concurrent"
      ? "Ask again when one has ended."
      : isBudget(kind)
        ? `It starts anew in ${formatDuration(wait)} (UTC).`
        : `It fits in ${formatDuration(Math.max(wait, 1))}.`;
  return {
    status: 429,
    code,
    message: `${may}; ${formatCount(Math.ceil(used))} ${taken}${takes}. ${when}`,
    retryAfter,
  };
}
