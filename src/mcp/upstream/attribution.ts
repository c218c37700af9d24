import { AsyncLocalStorage } from "node:async_hooks";

import type { Call } from "./call.ts";

/**
 * The call in whose name something happens. The SDK reads the answer to each POST of Streamable HTTP in the async context
 * in which it was sent, so what a server says on that stream is seen here as the call's.
 */
export const currentCall = new AsyncLocalStorage<Call | undefined>();
