import type { Call } from "./call.ts";
import type { WireError } from "./wire-error.ts";
import { wireErrorBody } from "../dialects/index.ts";

/**
 * Refuses a request whose body is still on its way. The answer goes out whole at once; what the client goes on sending
 * is thrown away unread for at most `discard` bytes or two seconds, then the connection is destroyed. Destroying it at
 * once would reset the connection, and clients that write before they read would never see why.
 */
export function refuseUnread(call: Call, error: WireError, discard: number): void {
  call.note.error = error.code;
  const { res } = call;
  const body = Buffer.from(JSON.stringify(wireErrorBody(call.family, error, call.id)));
  res.writeHead(error.status, [
    "content-type",
    "application/json",
    "content-length",
    String(body.length),
    "connection",
    "close",
    ...call.headers,
  ]);
  res.write(body);
  call.body.discard(discard, () => res.end());
}
