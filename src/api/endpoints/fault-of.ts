import type { z } from "zod";

/** Where the first fault is, and what it is; `whole` names what was read where the fault is no member's. */
export function faultOf(
  { issues: [issue] }: z.ZodError,
  whole: string,
): { readonly param: string; readonly message: string } {
  const param = issue?.path.map(String).join(".") ?? "";
  return { param, message: `${param === "" ? whole : param}: ${issue?.message ?? "is malformed"}.` };
}
