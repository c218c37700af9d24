import type { KeyLimits } from "../caller.ts";
import { dayOf, monthOf } from "./calendar.ts";
import { MINUTE } from "./draining.ts";
import type { Need } from "./share.ts";

/** The budgets of one day and its month by name; made once a day, because names cost more than all else of a request. */
export interface Budgets {
  readonly day: Pick<Need, "kind" | "allowance"> & { readonly ends: number };
  readonly month: Pick<Need, "kind" | "allowance"> & { readonly ends: number };
}

/** The budgets of the day that `wall` lies in, milliseconds since the epoch. */
export function budgetsAt(wall: number): Budgets {
  const day = dayOf(wall);
  const month = monthOf(wall);
  return {
    day: { kind: "tokensPerDay", allowance: `tokensPerDay:${day.name}`, ends: day.ends },
    month: { kind: "tokensPerMonth", allowance: `tokensPerMonth:${month.name}`, ends: month.ends },
  };
}

/** What a request needs of each limit of its key, in the order of looking; `tokens` is what it takes at least. */
export function needsOf(limits: KeyLimits, tokens: number, { day, month }: Budgets): readonly Need[] {
  const { concurrent, requestsPerMinute, tokensPerMinute, tokensPerDay, tokensPerMonth } = limits;
  const needs: Need[] = [];
  const amount = Math.max(1, tokens);
  if (concurrent !== undefined)
    needs.push({ kind: "concurrent", allowance: "concurrent", limit: concurrent, span: 0, amount: 1 });
  if (requestsPerMinute !== undefined)
    needs.push({
      kind: "requestsPerMinute",
      allowance: "requestsPerMinute",
      limit: requestsPerMinute,
      span: MINUTE,
      amount: 1,
    });
  if (tokensPerMinute !== undefined)
    needs.push({
      kind: "tokensPerMinute",
      allowance: "tokensPerMinute",
      limit: tokensPerMinute,
      span: MINUTE,
      amount,
    });
  if (tokensPerMonth !== undefined)
    needs.push({
      kind: month.kind,
      allowance: month.allowance,
      limit: tokensPerMonth,
      span: 0,
      amount,
      ends: month.ends,
    });
  if (tokensPerDay !== undefined)
    needs.push({
      kind: day.kind,
      allowance: day.allowance,
      limit: tokensPerDay,
      span: 0,
      amount,
      ends: day.ends,
    });
  return needs;
}
