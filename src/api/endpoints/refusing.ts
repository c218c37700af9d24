import { OmniError } from "../../core/index.ts";
import type { Code } from "../../core/index.ts";
import { answering } from "../../gateway/answering.ts";
import type { Call } from "../../gateway/call.ts";
import type { WireError } from "../../gateway/wire-error.ts";
import { sendError } from "../../gateway/wire-error.ts";

const STATUS: Partial<Record<Code, number>> = {
  "key.exists": 409,
  "key.last-admin": 409,
  "key.name": 400,
  "key.of-spec": 409,
  "key.unknown": 404,
  "mcp.closed": 503,
  "mcp.pin-moved": 409,
  "mcp.unknown-approval": 404,
  "mcp.unknown-pin": 404,
  "mcp.unknown-server": 404,
  "plan.trial": 503,
  "store.unreachable": 503,
  "store.unwritable": 503,
};

/** Ends a call by its work; what a room refuses on purpose is told with its code, what to do included. */
export const refusing = (call: Call, work: () => Promise<void>): Promise<void> =>
  answering(
    call,
    work().catch((thrown: unknown) => {
      if (!(thrown instanceof OmniError)) throw thrown;
      sendError(call, refusalOf(thrown));
    }),
  );

const refusalOf = ({ code, message, hint }: OmniError): WireError => {
  const status = STATUS[code] ?? (code.startsWith("mcp.") ? 502 : 500);
  return {
    status,
    type: status < 500 ? "invalid_request_error" : "server_error",
    code: code.replaceAll(/[.-]/g, "_"),
    message: `${message} ${hint}`,
  };
};
