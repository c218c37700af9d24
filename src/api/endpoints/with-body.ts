import type { z } from "zod";

import { MIB } from "../../core/index.ts";
import type { Call } from "../../gateway/call.ts";
import { refuseUnread } from "../../gateway/lingering-close.ts";
import { tooLarge } from "../../gateway/proxy-endpoint.ts";
import { badRequest, sendError } from "../../gateway/wire-error.ts";
import { faultOf } from "./fault-of.ts";

/** Bytes of a body at most: what is asked here is small, and the largest spec has one mebibyte. */
const MOST = 2 * MIB;

/** Reads a JSON body by its schema; one that is none, too large or of another form is answered with 400 or 413. */
export function withBody<Shape extends z.ZodType>(
  call: Call,
  shape: Shape,
  then: (body: z.output<Shape>) => Promise<void>,
): void {
  call.body.read(
    MOST,
    (bytes) => {
      const sent = shape.safeParse(jsonOf(bytes));
      if (sent.success) void then(sent.data);
      else {
        const { param, message } = faultOf(sent.error, "The body");
        sendError(call, badRequest("invalid_body", message, param));
      }
    },
    () => refuseUnread(call, tooLarge(MOST), MOST),
  );
}

/** `undefined`, which no schema takes, for what is no JSON. An empty body stands for an empty object. */
function jsonOf(bytes: Buffer): unknown {
  if (bytes.length === 0) return {};
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
