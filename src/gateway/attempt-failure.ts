import { RefusedAnswer } from "./client-sink.ts";
import type { WireError } from "./wire-error.ts";

/** How one try at a service ended without a whole answer. */
export interface AttemptFailure {
  /** `unready` is an engine that answered 502 to 504, `faulty` one that answered 500, `busy` one that answered 429, `denied` one that does not know Omni's key; `stopping` is this gateway itself. */
  readonly kind:
    | "connect"
    | "reset"
    | "cut"
    | "garbage"
    | "unready"
    | "faulty"
    | "busy"
    | "denied"
    | "timeout"
    | "stopping"
    | "internal";
  readonly message: string;
  /** Gives the client what the engine itself answered, where it did. */
  readonly passOn?: () => void;
}

const RETRYABLE: ReadonlySet<AttemptFailure["kind"]> = new Set([
  "connect",
  "reset",
  "cut",
  "garbage",
  "unready",
]);

/** The engine is there and does not do this request: asking the same one again would only add to its load. */
export const needsOther = (failure: AttemptFailure): boolean =>
  failure.kind === "faulty" ||
  failure.kind === "busy" ||
  failure.kind === "denied" ||
  failure.kind === "timeout";

/** Whether another try is safe: the engine is gone or not there yet, and the client has seen nothing. */
export const isRetryable = (failure: AttemptFailure): boolean => RETRYABLE.has(failure.kind);

const CONNECT: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOENT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAGAIN",
  "EACCES",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_DESTROYED",
  "UND_ERR_CLOSED",
]);

/** Reads an error of undici or of the socket below it. */
export function classifyFailure(error: Error): AttemptFailure {
  if (error instanceof RefusedAnswer) return { kind: "garbage", message: error.message };
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (CONNECT.has(code)) return { kind: "connect", message: `no connection: ${error.message}` };
  if (error.name === "HTTPParserError" || code === "UND_ERR_HEADERS_OVERFLOW") {
    return { kind: "garbage", message: `its answer is not HTTP: ${error.message}` };
  }
  if (code === "UND_ERR_INVALID_ARG") return { kind: "internal", message: error.message };
  return { kind: "reset", message: `the connection broke: ${error.message}` };
}

/** What the client is told when a service's failure is final. */
export function failureError(failure: AttemptFailure, service: string, attempts: number): WireError {
  const tries = attempts === 1 ? "1 try" : `${attempts} tries`;
  const message = `Service "${service}" did not answer in ${tries}: ${failure.message}.`;
  switch (failure.kind) {
    case "timeout":
      return { status: 504, type: "server_error", code: "upstream_timeout", message };
    case "stopping":
      return {
        status: 503,
        type: "server_error",
        code: "node_stopping",
        message: "The node is stopping.",
        retryAfter: 5,
      };
    case "busy":
      return { status: 429, type: "rate_limit_error", code: "upstream_busy", message, retryAfter: 5 };
    case "faulty":
    case "unready":
      return { status: 503, type: "server_error", code: "upstream_unready", message, retryAfter: 5 };
    case "internal":
      return { status: 500, type: "server_error", code: "internal_error", message: failure.message };
    case "denied":
      return { status: 502, type: "server_error", code: "upstream_denied", message };
    case "connect":
    case "reset":
    case "cut":
    case "garbage":
      return { status: 502, type: "server_error", code: "upstream_failed", message, retryAfter: 1 };
  }
}

/** The error event that ends a stream of which the client has seen a part. */
export const cutError = (failure: AttemptFailure, service: string): WireError => ({
  status: 502,
  type: "server_error",
  code:
    failure.kind === "timeout"
      ? "upstream_timeout"
      : failure.kind === "stopping"
        ? "node_stopping"
        : "upstream_cut",
  message: `The answer of service "${service}" is incomplete: ${failure.message}.`,
});
