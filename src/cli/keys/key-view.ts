import { formatCount, present } from "../../core/index.ts";
import type { ShownKey } from "../../keys/index.ts";
import type { KeyMay, UsageRow } from "../../store/stored-key.ts";
import { table } from "../terminal.ts";
import type { Terminal } from "../terminal.ts";

const instant = (time: number | undefined): string | undefined =>
  time === undefined ? undefined : new Date(time).toISOString();

/** A key for programs: instants as ISO 8601. */
export const datedKey = ({
  created,
  expires,
  revoked,
  rotated,
  oldSecretUntil,
  ...rest
}: ShownKey): Readonly<Record<string, unknown>> => ({
  ...rest,
  ...present({
    created: instant(created),
    expires: instant(expires),
    revoked: instant(revoked),
    rotated: instant(rotated),
    oldSecretUntil: instant(oldSecretUntil),
  }),
});

const SHORT = {
  requestsPerMinute: "requests/min",
  tokensPerMinute: "tokens/min",
  tokensPerDay: "tokens/day",
  tokensPerMonth: "tokens/month",
  concurrent: "at a time",
} as const;
const KINDS = [
  "requestsPerMinute",
  "tokensPerMinute",
  "tokensPerDay",
  "tokensPerMonth",
  "concurrent",
] as const;

function limitsOf({ limits }: KeyMay): string {
  const said = KINDS.flatMap((kind) => {
    const limit = limits?.[kind];
    return limit === undefined ? [] : [`${formatCount(limit)} ${SHORT[kind]}`];
  });
  return said.length === 0 ? "none" : said.join(", ");
}

/** What a key may do, in words. */
export const mayText = ({ admin, upstream, routes, tools, mcp = {}, priority }: KeyMay): string =>
  [
    routes === undefined ? "all routes" : `routes ${routes.join(" ")}`,
    ...(tools === undefined ? [] : [`tools ${tools.join(" ")}`]),
    ...(mcp.readOnly === true ? ["MCP only to read"] : []),
    ...(mcp.resources === undefined ? [] : [`resources ${mcp.resources.join(" ")}`]),
    ...(mcp.arguments === undefined ? [] : ["MCP arguments by pattern"]),
    ...(mcp.callsPerMinute === undefined ? [] : [`${formatCount(mcp.callsPerMinute)} MCP calls/min`]),
    ...(admin ? ["admin"] : []),
    ...(upstream ? ["upstream"] : []),
    ...(priority === 5 ? [] : [`priority ${priority}`]),
  ].join(", ");

/** Prints keys, one a line. */
export function reportKeys(keys: readonly ShownKey[], terminal: Terminal): void {
  const head = ["NAME", "KEY", "STATE", "EXPIRES", "MAY", "LIMITS"].map((cell) =>
    terminal.style("dim", cell),
  );
  const rows = keys.map((key) => [
    key.name,
    key.prefix === undefined ? "(spec)" : `${key.prefix}…`,
    key.oldSecretUntil === undefined
      ? key.state
      : `${key.state}, old secret until ${minute(key.oldSecretUntil)}`,
    key.expires === undefined ? "never" : minute(key.expires),
    mayText(key.may),
    limitsOf(key.may),
  ]);
  terminal.out(table([head, ...rows]));
}

const minute = (time: number): string => `${new Date(time).toISOString().slice(0, 16).replace("T", " ")} UTC`;

/** Prints usage, a line for each day, key, model and service, and the sum. */
export function reportUsage(rows: readonly UsageRow[], terminal: Terminal): void {
  if (rows.length === 0) {
    terminal.out("Nothing was used in these days.");
    return;
  }
  const head = ["DAY (UTC)", "KEY", "MODEL", "SERVICE", "REQUESTS", "PROMPT", "CACHED", "COMPLETION"];
  const sum = (pick: (row: UsageRow) => number): string =>
    formatCount(rows.reduce((total, row) => total + pick(row), 0));
  const counts = [
    (row: UsageRow) => row.requests,
    (row: UsageRow) => row.promptTokens,
    (row: UsageRow) => row.cachedTokens,
    (row: UsageRow) => row.completionTokens,
  ];
  terminal.out(
    table([
      head.map((cell) => terminal.style("dim", cell)),
      ...rows.map((row) => [
        row.day,
        row.key,
        row.model,
        row.service,
        ...counts.map((pick) => formatCount(pick(row))),
      ]),
      ["sum", "", "", "", ...counts.map(sum)],
    ]),
  );
}
