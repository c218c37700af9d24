import type { Tone } from "../../parts/badge.tsx";
import { formatCount } from "../../parts/words.ts";
import type { Key } from "./key-types.ts";

type May = Key["may"];

export const TONE_OF_STATE: Readonly<Record<Key["state"], Tone>> = {
  "in force": "good",
  expired: "warning",
  unset: "error",
  revoked: "quiet",
};

/** What a key may do, in words. */
export function mayWords({ admin, upstream, priority, routes, tools, mcp, content }: May): readonly string[] {
  return [
    admin ? "may change the node" : undefined,
    routes === undefined ? "all routes" : `routes ${routes.join(", ")}`,
    tools === undefined ? "all tools" : `tools ${tools.join(", ")}`,
    mcp?.readOnly === true ? "tools that only read" : undefined,
    mcp?.resources === undefined ? undefined : `resources ${mcp.resources.join(", ")}`,
    mcp?.arguments === undefined ? undefined : `arguments of ${Object.keys(mcp.arguments).join(", ")} bound`,
    upstream ? "engines' own endpoints" : undefined,
    priority === 5 ? undefined : `priority ${priority}`,
    content === true ? "contents may be kept" : undefined,
  ].filter((word) => word !== undefined);
}

/** How much a key may use, in words; none where it has no limits. */
export const limitWords = ({ limits = {}, mcp }: May): readonly string[] =>
  [
    said(limits.requestsPerMinute, "requests a minute"),
    said(limits.tokensPerMinute, "tokens a minute"),
    said(limits.tokensPerDay, "tokens a day"),
    said(limits.tokensPerMonth, "tokens a month"),
    said(limits.concurrent, "at the same time"),
    said(mcp?.callsPerMinute, "tool calls a minute"),
  ].filter((word) => word !== undefined);

const said = (count: number | undefined, what: string): string | undefined =>
  count === undefined ? undefined : `${formatCount(count)} ${what}`;
