import type { RouteRules } from "../../plan/plan.ts";
import type { TokenBounds } from "./token-bounds.ts";

/** Milliseconds after which a second service is asked too, for a prompt that is short enough; `undefined` for never. */
export function hedgeAfter(rules: RouteRules | undefined, tokens: TokenBounds): number | undefined {
  const hedge = rules?.hedge;
  if (hedge === undefined) return undefined;
  // A long prompt that is computed twice costs more than the wait; the guess is rather too high.
  return hedge.below === undefined || tokens.likely < hedge.below ? hedge.after : undefined;
}
