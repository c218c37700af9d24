import type { JsonObject } from "../dialect.ts";
import { optionalNumber, optionalObject, optionalText, shown } from "../fields.ts";
import { DialectError } from "../translation.ts";
import type { ClaudeRules } from "./claude-rules.ts";

/** Anthropic's dialect requires a limit; this one every model since Claude 3.5 takes. */
const DEFAULT_MAX_TOKENS = 8192;
/** Anthropic's least budget. */
const MIN_BUDGET = 1024;

/** Efforts as budgets in tokens, for models that know budgets alone. */
const BUDGETS: ReadonlyMap<string, number> = new Map([
  ["low", 2048],
  ["medium", 8192],
  ["high", 16_384],
  ["xhigh", 32_000],
  ["max", 32_000],
]);

/** How much may be thought and said, as Anthropic's dialect asks for it. */
export interface Extent {
  readonly maxTokens: number;
  readonly thinking?: JsonObject;
  readonly effort?: string;
}

/** Limit, thinking and effort of a chat request. Throws `DialectError`. */
export function messageExtent(body: JsonObject, rules: ClaudeRules): Extent {
  const asked =
    optionalNumber(body["max_completion_tokens"], "max_completion_tokens") ??
    optionalNumber(body["max_tokens"], "max_tokens");
  const budget = optionalNumber(body["thinking_budget_tokens"], "thinking_budget_tokens");
  const effort = knownEffort(body);
  const template = optionalObject(body["chat_template_kwargs"], "chat_template_kwargs");
  if (effort === "none" || budget === 0 || template?.["enable_thinking"] === false) {
    return { maxTokens: asked ?? DEFAULT_MAX_TOKENS, thinking: { type: "disabled" } };
  }
  const wanted = budget !== undefined && budget > 0 ? budget : undefined;
  if (rules.thinking === "budget" || (rules.thinking === "either" && wanted !== undefined)) {
    return withBudget(asked, wanted ?? (effort === undefined ? undefined : BUDGETS.get(effort)));
  }
  const maxTokens = asked ?? DEFAULT_MAX_TOKENS + (wanted ?? 0);
  const asEffort = effort ?? (wanted === undefined ? undefined : effortOf(wanted));
  return asEffort === undefined
    ? { maxTokens }
    : { maxTokens, thinking: { type: "adaptive" }, effort: asEffort };
}

/** The budget counts into the limit and must stay below it. */
function withBudget(asked: number | undefined, budget: number | undefined): Extent {
  if (budget === undefined) return { maxTokens: asked ?? DEFAULT_MAX_TOKENS };
  const maxTokens = asked ?? DEFAULT_MAX_TOKENS + budget;
  const fitting = Math.max(MIN_BUDGET, Math.min(budget, maxTokens - 1));
  if (fitting >= maxTokens) return { maxTokens };
  return { maxTokens, thinking: { type: "enabled", budget_tokens: fitting } };
}

/** Budgets in tokens as efforts: the thresholds lie between the budgets that stand for the efforts. */
export function effortOf(budget: number): string {
  if (budget < 4096) return "low";
  return budget < 12_288 ? "medium" : "high";
}

function knownEffort(body: JsonObject): string | undefined {
  const effort = optionalText(body["reasoning_effort"], "reasoning_effort");
  if (effort === undefined || effort === "none") return effort;
  const known = effort === "minimal" ? "low" : effort;
  if (BUDGETS.has(known)) return known;
  throw new DialectError(
    "reasoning_effort",
    `reasoning_effort: expected "none", "minimal", "low", "medium", "high", "xhigh" or "max", found ${shown(effort)}.`,
  );
}
