import { OmniError, parseDuration, present } from "../../core/index.ts";
import { checkedKeyName, isTargetName } from "../../keys/index.ts";
import type { KeyMay } from "../../store/stored-key.ts";
import { integerOption } from "../command.ts";
import type { Invocation, Option } from "../command.ts";

const value = (placeholder: string, about: string): Option => ({ kind: "value", placeholder, about });

/** What a key may do and how much, as options of `keys create`. */
export const MAY_OPTIONS: Readonly<Record<string, Option>> = {
  route: {
    kind: "value",
    placeholder: "NAME",
    repeatable: true,
    about: "create: a route, service or model that it may use; all without this option.",
  },
  tool: {
    kind: "value",
    placeholder: "GLOB",
    repeatable: true,
    about: "create: an MCP server, or tools as server__tool globs, that it may use; all without this option.",
  },
  "mcp-read-only": {
    kind: "flag",
    about: "create: of MCP servers only tools that say that they change nothing.",
  },
  "mcp-resource": {
    kind: "value",
    placeholder: "GLOB",
    repeatable: true,
    about:
      "create: resources of MCP servers that it may read, as globs; all of its servers without this option.",
  },
  "mcp-calls-per-minute": value("N", "create: calls of MCP tools a minute."),
  admin: { kind: "flag", about: "create: it may change the node." },
  upstream: { kind: "flag", about: "create: it may use engines' own endpoints under /upstream." },
  content: { kind: "flag", about: "create: keep contents of its requests, where telemetry allows it." },
  priority: value("N", "create: 0 to 9, 9 waits least; default 5."),
  expires: value("WHEN", "create: when it ends: 30d, or a date such as 2027-01-31 (UTC)."),
  "requests-per-minute": value("N", "create: requests a minute."),
  "tokens-per-minute": value("N", "create: tokens a minute, prompt and answer."),
  "tokens-per-day": value("N", "create: tokens a day (UTC)."),
  "tokens-per-month": value("N", "create: tokens a calendar month (UTC)."),
  concurrent: value("N", "create: requests at the same time."),
};

const DEFAULT_PRIORITY = 5;

/** The name given, checked. Throws `OmniError` `cli.bad-argument`, `key.name`. */
export function keyName(name: string | undefined, action: string): string {
  if (name === undefined) {
    throw new OmniError("cli.bad-argument", `keys ${action} needs NAME.`, {
      hint: `For example: ./omni keys ${action} laptop`,
    });
  }
  return checkedKeyName(name);
}

/** What the options of `create` say. Throws `OmniError` `cli.bad-argument`. */
export function mayOf(invocation: Invocation): KeyMay {
  const limits = present({
    requestsPerMinute: integerOption(invocation, "requests-per-minute", [1, 10_000_000]),
    tokensPerMinute: integerOption(invocation, "tokens-per-minute", [1, 1_000_000_000]),
    tokensPerDay: integerOption(invocation, "tokens-per-day", [1, 1_000_000_000_000]),
    tokensPerMonth: integerOption(invocation, "tokens-per-month", [1, 1_000_000_000_000]),
    concurrent: integerOption(invocation, "concurrent", [1, 100_000]),
  });
  const routes = invocation.values("route");
  const wrong = routes.find((route) => !isTargetName(route));
  if (wrong !== undefined)
    throw new OmniError("cli.bad-argument", `${JSON.stringify(wrong)} cannot be the name of a route.`);
  const tools = invocation.values("tool");
  const resources = invocation.values("mcp-resource");
  const mcp = present({
    readOnly: invocation.flag("mcp-read-only") ? true : undefined,
    resources: resources.length === 0 ? undefined : [...resources],
    callsPerMinute: integerOption(invocation, "mcp-calls-per-minute", [1, 1_000_000]),
  });
  return {
    admin: invocation.flag("admin"),
    upstream: invocation.flag("upstream"),
    priority: integerOption(invocation, "priority", [0, 9]) ?? DEFAULT_PRIORITY,
    ...(routes.length === 0 ? {} : { routes: [...routes] }),
    ...(tools.length === 0 ? {} : { tools: [...tools] }),
    ...(Object.keys(mcp).length === 0 ? {} : { mcp }),
    ...(invocation.flag("content") ? { content: true } : {}),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
  };
}

/** When a key ends, milliseconds since the epoch. Throws `OmniError` `cli.bad-argument`. */
export function expiryOf(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const span = parseDuration(text);
  const time = span === undefined ? dateOf(text) : now + span;
  if (time !== undefined && time > now) return time;
  const what = time === undefined ? "is neither a duration nor a date" : "has passed";
  throw new OmniError("cli.bad-argument", `--expires ${JSON.stringify(text)} ${what}.`, {
    hint: "For example: --expires 30d, or --expires 2027-01-31",
  });
}

function dateOf(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2}))?$/.test(text)) return undefined;
  const time = Date.parse(text);
  const day = Date.parse(text.slice(0, 10));
  // Date.parse rolls 2027-02-30 over into March; a day must survive the round trip.
  const real = !Number.isNaN(day) && new Date(day).toISOString().startsWith(text.slice(0, 10));
  return real && !Number.isNaN(time) ? time : undefined;
}

/** Milliseconds that an old secret goes on; 0 when it ends at once. Throws `OmniError` `cli.bad-argument`. */
export function graceOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const grace = parseDuration(text);
  if (grace !== undefined) return grace;
  throw new OmniError("cli.bad-argument", `--grace needs a duration, not ${JSON.stringify(text)}.`, {
    hint: "For example: --grace 10m",
  });
}
