import { z } from "zod";

import type { WireError } from "../../gateway/wire-error.ts";
import { badRequest } from "../../gateway/wire-error.ts";
import type { AuditQuery } from "../../mcp/hub.ts";

const MOST = 1000;
const USUAL = 100;

/** How a call can have ended. */
const OUTCOMES = ["ok", "error", "refused", "denied", "cancelled", "timeout", "input"] as const;

const whole = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, "is a whole number")
    .transform(Number)
    .refine((value) => value >= least && value <= most, `is a whole number from ${least} to ${most}`);

const QUERY = z.object({
  limit: whole(1, MOST).default(USUAL),
  before: whole(1, Number.MAX_SAFE_INTEGER).exactOptional(),
  key: z.string().exactOptional(),
  server: z.string().exactOptional(),
  outcome: z.enum(OUTCOMES).exactOptional(),
});

/** `?limit=&before=&key=&server=&outcome=` of `GET /api/mcp/audit`; without a limit the newest hundred. */
export function readAuditQuery(query: URLSearchParams): AuditQuery | WireError {
  const read = QUERY.safeParse(Object.fromEntries(query));
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const param = issue?.path.map(String).join(".") ?? "";
  return badRequest("invalid_query", `${param}: ${issue?.message ?? "is malformed"}.`, param);
}
