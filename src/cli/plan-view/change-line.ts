import type { PlanChange } from "./plan-diff.ts";

/** A difference of two plans in one line: `~ services.oracle.context  8192 → 16384`. */
export function changeLine({ kind, path, from = "", to = "" }: PlanChange): string {
  if (kind === "added") return `+ ${path}  ${to}`.trimEnd();
  if (kind === "removed") return `- ${path}  ${from}`.trimEnd();
  return `~ ${path}  ${from} → ${to}`;
}
