/** What a model of Anthropic's refuses with status 400 rather than ignores. */
export interface ClaudeRules {
  /** How many of `temperature` and `top_p` it takes; where none, no `top_k` either. */
  readonly samplers: 0 | 1 | 2;
  /** Thinking is asked for by a budget in tokens (before 4.6), or by an effort (since 4.6; a budget is refused since 4.7). */
  readonly thinking: "budget" | "effort" | "either";
}

const ANY: ClaudeRules = { samplers: 2, thinking: "either" };

/**
 * Rules by the release in a model's name (`claude-sonnet-4-5-20250929`, `claude-opus-5`); names without one are not
 * restricted. Sources: Anthropic's SDK 1.0 leaves samplers out; "temperature is deprecated for this model" since 4.7;
 * "temperature and top_p cannot both be specified" since 4.1; `budget_tokens` refused since 4.7 (Anthropic's migration
 * guides, 2026).
 */
export function claudeRules(model: unknown): ClaudeRules {
  const found = typeof model === "string" ? /claude-(?:[a-z]+-)?(\d)(?:-(\d{1,2})(?!\d))?/.exec(model) : null;
  if (found === null) return ANY;
  const release = Number(found[1]) * 100 + Number(found[2] ?? 0);
  if (release >= 407) return { samplers: 0, thinking: "effort" };
  if (release === 406) return { samplers: 1, thinking: "either" };
  return { samplers: release >= 401 ? 1 : 2, thinking: "budget" };
}
