import { wireErrorType } from "../dialects/index.ts";
import type { KeyRefusal } from "../keys/index.ts";
import type { Backends } from "../supervisor/backends.ts";
import type { NoPlace } from "./admission/admission.ts";
import type { AttemptFailure } from "./attempt-failure.ts";
import { failureError } from "./attempt-failure.ts";
import type { Choice } from "./routing/router.ts";
import { viewOf } from "./seek.ts";
import { unavailableError } from "./service-wait.ts";
import type { Target } from "./targets.ts";
import type { WireError } from "./wire-error.ts";
import { badRequest } from "./wire-error.ts";

/** 400 that says of each service of a route why it does not take this request. */
export function nobodySuits({ route }: Target, { skipped }: Choice): WireError {
  const reasons = skipped.map(({ service, why }) => `"${service}": ${why}`).join("; ");
  const tooLong = skipped.length > 0 && skipped.every(({ because }) => because === "window");
  return badRequest(
    tooLong ? "context_length_exceeded" : "no_service_suits",
    `No service of "${route}" takes this request. ${reasons}.`,
    tooLong ? "messages" : undefined,
  );
}

/** 400 for a request that no engine of the route can do, each with why. */
export const nobodyCan = ({ route }: Target, unable: ReadonlyMap<string, string>): WireError =>
  badRequest(
    "unsupported_by_engines",
    `No service of "${route}" can do this: ${[...unable].map(([service, why]) => `"${service}": ${why}`).join("; ")}.`,
  );

export const noPlaceError = ({ status, code, message, retryAfter }: NoPlace): WireError => ({
  status,
  type: status === 429 ? "rate_limit_error" : "server_error",
  code,
  message,
  retryAfter,
});

/** What the client is told when its key's limits are used up. */
export const limitError = ({ status, code, message, retryAfter }: KeyRefusal): WireError => ({
  status,
  type: wireErrorType(status),
  code,
  message,
  ...(retryAfter === undefined ? {} : { retryAfter }),
});

/** What the client is told when the last try failed before it saw a byte. */
export function refusedBy(
  backends: Backends,
  target: Target,
  service: string,
  failure: AttemptFailure,
  attempts: number,
): WireError {
  const ready = viewOf(backends, service)?.state === "ready";
  return failure.kind === "unready" || (failure.kind === "connect" && !ready)
    ? unavailableError(backends, target)
    : failureError(failure, service, attempts);
}
