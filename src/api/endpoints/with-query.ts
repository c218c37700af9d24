import type { z } from "zod";

import type { Call } from "../../gateway/call.ts";
import { badRequest, sendError } from "../../gateway/wire-error.ts";
import { faultOf } from "./fault-of.ts";

/** Reads the query of a call by its schema; members that it does not name are left out, wrong ones answered with 400. */
export function withQuery<Shape extends z.ZodObject>(
  call: Call,
  shape: Shape,
  then: (query: z.output<Shape>) => void,
): void {
  const read = shape.safeParse(Object.fromEntries(call.query));
  if (read.success) then(read.data);
  else {
    const { param, message } = faultOf(read.error, "The query");
    sendError(call, badRequest("invalid_query", message, param));
  }
}
