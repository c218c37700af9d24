import type { NewKey } from "./key-types.ts";

/** A key as it is typed into the form. */
export interface KeyDraft {
  readonly name: string;
  readonly admin: boolean;
  readonly upstream: boolean;
  readonly content: boolean;
  readonly priority: string;
  /** None: all of them. */
  readonly routes: readonly string[];
  /** Servers and globs, by commas; empty: all of them. */
  readonly tools: string;
  readonly readOnlyTools: boolean;
  readonly limits: Readonly<Record<LimitName, string>>;
  /** Days until it ends as text, `never`, or `on` the day of `endDay`. */
  readonly ends: string;
  readonly endDay: string;
}

export const LIMITS = [
  ["requestsPerMinute", "Requests a minute"],
  ["concurrent", "Requests at the same time"],
  ["tokensPerMinute", "Tokens a minute"],
  ["tokensPerDay", "Tokens a day"],
  ["tokensPerMonth", "Tokens a month"],
  ["callsPerMinute", "Tool calls a minute"],
] as const;
export type LimitName = (typeof LIMITS)[number][0];

/** What is wrong, by the field: `name`, `limits.tokensPerDay`. */
export type DraftErrors = Readonly<Record<string, string>>;

export const emptyDraft = (admin: boolean): KeyDraft => ({
  name: "",
  admin,
  upstream: false,
  content: false,
  priority: "5",
  routes: [],
  tools: "",
  readOnlyTools: false,
  limits: {
    requestsPerMinute: "",
    concurrent: "",
    tokensPerMinute: "",
    tokensPerDay: "",
    tokensPerMonth: "",
    callsPerMinute: "",
  },
  ends: "never",
  endDay: "",
});

const DAY = 86_400_000;

/** What is asked of the node for a draft, or what is wrong with it. `now` in milliseconds since the epoch. */
export function newKeyOf(
  draft: KeyDraft,
  now: number,
): { readonly key: NewKey } | { readonly errors: DraftErrors } {
  const errors = errorsOf(draft, now);
  if (Object.keys(errors).length > 0) return { errors };
  const { callsPerMinute, ...limits } = numbersOf(draft.limits);
  const tools = draft.tools
    .split(/[\s,]+/)
    .map((tool) => tool.trim())
    .filter((tool) => tool !== "");
  const mcp = {
    ...(draft.readOnlyTools ? { readOnly: true } : {}),
    ...(callsPerMinute === undefined ? {} : { callsPerMinute }),
  };
  const expires = endOf(draft, now);
  return {
    key: {
      name: draft.name.trim(),
      admin: draft.admin,
      upstream: draft.upstream,
      priority: Number(draft.priority),
      ...(draft.routes.length === 0 ? {} : { routes: [...draft.routes] }),
      ...(tools.length === 0 ? {} : { tools }),
      ...(Object.keys(mcp).length === 0 ? {} : { mcp }),
      ...(Object.keys(limits).length === 0 ? {} : { limits }),
      ...(draft.content ? { content: true } : {}),
      ...(expires === undefined ? {} : { expires }),
    },
  };
}

function errorsOf(draft: KeyDraft, now: number): DraftErrors {
  const errors: Record<string, string> = {};
  if (!/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/.test(draft.name.trim()))
    errors["name"] = "Letters, digits and . _ : / - , beginning with a letter or digit; at most 128.";
  for (const [name, typed] of Object.entries(draft.limits))
    if (typed.trim() !== "" && wholeOf(typed) === undefined)
      errors[name === "callsPerMinute" ? "mcp.callsPerMinute" : `limits.${name}`] =
        "A whole number from 1, or nothing for no limit.";
  const end = endOf(draft, now);
  if (draft.ends === "on" && (end === undefined || Number.isNaN(end) || end <= now))
    errors["expires"] = "A day that is still to come.";
  return errors;
}

/** The end of the day chosen, in the time of whoever looks; `undefined` for never. */
function endOf({ ends, endDay }: KeyDraft, now: number): number | undefined {
  if (ends === "never") return undefined;
  return ends === "on" ? new Date(`${endDay}T23:59:59`).getTime() : now + Number(ends) * DAY;
}

/** `50 000` and `50000`; `undefined` for what is no whole number from 1. */
function wholeOf(typed: string): number | undefined {
  const digits = typed.replaceAll(/[\s_']/g, "");
  return /^[1-9]\d{0,14}$/.test(digits) ? Number(digits) : undefined;
}

const numbersOf = (limits: KeyDraft["limits"]): Readonly<Partial<Record<LimitName, number>>> =>
  Object.fromEntries(
    Object.entries(limits).flatMap(([name, typed]) => {
      const count = wholeOf(typed);
      return count === undefined ? [] : [[name, count]];
    }),
  );
