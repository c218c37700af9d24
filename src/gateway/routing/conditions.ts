import type { IncomingHttpHeaders } from "node:http";

import { formatCount } from "../../core/index.ts";
import type { RouteCondition, RouteNeed } from "../../plan/plan.ts";
import type { TokenBounds } from "./token-bounds.ts";
import { exceeds, fallsShort } from "./token-bounds.ts";

/** What conditions of a route look at beside the prompt's length. */
export interface Circumstances {
  readonly key: string;
  readonly headers: IncomingHttpHeaders;
  /** Minutes after midnight, local time of the node. */
  readonly minutes: () => number;
  needs(): readonly RouteNeed[];
}

/** `true`: it may take the request; `undefined`: the bounds of the prompt's length do not tell; a text: why not. */
export function meets(
  when: RouteCondition,
  tokens: TokenBounds,
  circumstances: Circumstances,
): true | string | undefined {
  const { needs, keys, headers, hours } = when;
  if (keys !== undefined && !keys.includes(circumstances.key)) {
    return `it is for other keys than "${circumstances.key}"`;
  }
  if (headers !== undefined) {
    const other = Object.keys(headers).find((name) => valueOf(circumstances.headers[name]) !== headers[name]);
    if (other !== undefined) return `it is for requests with "${other}: ${headers[other]}"`;
  }
  if (hours !== undefined && !isWithin(circumstances.minutes(), hours)) {
    return `it is for the hours from ${clock(hours.from)} to ${clock(hours.to)}`;
  }
  if (needs !== undefined) {
    const missing = needs.filter((need) => !circumstances.needs().includes(need));
    if (missing.length > 0) return `it is for requests that need ${missing.join(" and ")}`;
  }
  return when.promptTokens === undefined ? true : hasLength(when.promptTokens, tokens);
}

function hasLength(
  length: NonNullable<RouteCondition["promptTokens"]>,
  tokens: TokenBounds,
): true | string | undefined {
  const { above, below } = length;
  const fits = isWithinLength(length, tokens);
  if (fits !== false) return fits;
  if (above !== undefined && exceeds(tokens, above) === false)
    return `it is for prompts above ${formatCount(above)} tokens`;
  return `it is for prompts below ${formatCount(below ?? 0)} tokens`;
}

function isWithinLength(
  { above, below }: NonNullable<RouteCondition["promptTokens"]>,
  tokens: TokenBounds,
): boolean | undefined {
  const longer = above === undefined ? true : exceeds(tokens, above);
  const shorter = below === undefined ? true : fallsShort(tokens, below);
  if (longer === false || shorter === false) return false;
  return longer === undefined || shorter === undefined ? undefined : true;
}

/** The same as `meets`, without a word of why not. */
export function isMet(
  when: RouteCondition,
  tokens: TokenBounds,
  circumstances: Circumstances,
): boolean | undefined {
  const { needs, keys, headers, hours, promptTokens } = when;
  if (needs === undefined && keys === undefined && headers === undefined && hours === undefined)
    return promptTokens === undefined ? true : isWithinLength(promptTokens, tokens);
  const met = meets(when, tokens, circumstances);
  return met === undefined ? undefined : met === true;
}

const valueOf = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(", ") : value;

/** Whether a minute of the day lies from `from` up to, not including, `to`; the span may go over midnight. */
const isWithin = (minute: number, { from, to }: NonNullable<RouteCondition["hours"]>): boolean =>
  from <= to ? minute >= from && minute < to : minute >= from || minute < to;

const clock = (minutes: number): string =>
  `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
