import type { KeyLimits } from "../caller.ts";
import { dayOf, monthOf } from "./calendar.ts";
import { MINUTE } from "./draining.ts";
import type { Need } from "./share.ts";

/** What a request needs of each limit of its key, in the order of looking; `tokens` is what it takes at least. */
export function needsOf(limits: KeyLimits, tokens: number, wall: number): readonly Need[] {
  const { concurrent, requestsPerMinute, tokensPerMinute, tokensPerDay, tokensPerMonth } = limits;
  const needs: Need[] = [];
  const amount = Math.max(1, tokens);
  const add = (kind: keyof KeyLimits, limit: number | undefined, span: number, amount: number): void => {
    if (limit !== undefined) needs.push({ kind, allowance: kind, limit, span, amount });
  };
  const budget = (kind: keyof KeyLimits, limit: number | undefined, period: typeof dayOf): void => {
    if (limit === undefined) return;
    const { name, ends } = period(wall);
    needs.push({ kind, allowance: `${kind}:${name}`, limit, span: 0, amount, ends });
  };
  add("concurrent", concurrent, 0, 1);
  add("requestsPerMinute", requestsPerMinute, MINUTE, 1);
  add("tokensPerMinute", tokensPerMinute, MINUTE, amount);
  budget("tokensPerMonth", tokensPerMonth, monthOf);
  budget("tokensPerDay", tokensPerDay, dayOf);
  return needs;
}

/** The same budget in the day or month that `wall` lies in. */
export function inPresent(need: Need, wall: number): Need {
  const { name, ends } = need.kind === "tokensPerDay" ? dayOf(wall) : monthOf(wall);
  return { ...need, allowance: `${need.kind}:${name}`, ends };
}
