import { messageOf } from "../core/index.ts";
import type { Call } from "./call.ts";
import type { WireError } from "./wire-error.ts";
import { sendError } from "./wire-error.ts";

/** Ends a call whose work failed for a reason that is not the client's, unless its client is gone. */
export async function answering(call: Call, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (thrown) {
    fail(call, thrown);
  }
}

/** The same for work that is done at once: one request that goes wrong must not end the process, and with it all others. */
export function guarded(call: Call, work: () => void): void {
  try {
    work();
  } catch (thrown) {
    fail(call, thrown);
  }
}

/** 500 for what went wrong in the node itself. */
export const internalError = (thrown: unknown): WireError => ({
  status: 500,
  type: "server_error",
  code: "internal_error",
  message: `The node could not do this: ${messageOf(thrown)}`,
});

/** Ends a call with what was thrown: 500, or broken off where it had begun. */
function fail(call: Call, thrown: unknown): void {
  const { res } = call;
  if (res.destroyed || res.writableEnded) return;
  // What has begun cannot be taken back; cut off, it is not taken for the whole.
  if (res.headersSent) res.destroy();
  else sendError(call, internalError(thrown));
}
