import type { IncomingHttpHeaders } from "node:http";

import type { ErrorFamily } from "../dialects/index.ts";
import type { Caller } from "../keys/index.ts";
import type { Waiter } from "./admission/admission.ts";
import type { Outlet } from "./outlet.ts";

/** Who asked and where the answer goes, as an exchange needs it: a connection or somebody inside. */
export interface Client {
  readonly id: string;
  readonly caller: Caller;
  /** How it waits for a place. */
  readonly who: Waiter;
  readonly method: string;
  /** As they were received; what engines may see of them is chosen elsewhere. */
  readonly headers: IncomingHttpHeaders;
  /** Flat name and value pairs that every answer carries. */
  readonly answerHeaders: readonly string[];
  /** In whose words errors are told. */
  readonly family: ErrorFamily;
  readonly outlet: Outlet;
  /** Bytes that went out on its connection so far, heads included. */
  bytesSent(): number;
}
