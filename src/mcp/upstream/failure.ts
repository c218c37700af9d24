import {
  ProtocolError,
  SdkError,
  SdkErrorCode,
  SdkHttpError,
  UnauthorizedError,
} from "@modelcontextprotocol/client";

import { formatDuration, messageOf, OmniError } from "../../core/index.ts";
import { STREAM_ENDED } from "./direct-transport.ts";

/** What became of a request that failed. */
export type Fate =
  /** The server has said so itself; its error goes to the client as it is. */
  | "answered"
  /** The server never took it. */
  | "refused"
  /** The session that it was sent in is over; the server never took it. */
  | "expired"
  /** The connection is no good any more, and nobody knows whether the server has done it. */
  | "lost"
  | "timeout"
  /** The answer makes no sense. */
  | "nonsense";

const CONNECTION_LOST: ReadonlySet<string> = new Set([
  SdkErrorCode.ConnectionClosed,
  SdkErrorCode.NotConnected,
  SdkErrorCode.SendFailed,
]);
/** Errors of a connection that was never made. */
const NEVER_SENT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);
const NO_SESSION = /session/i;
const SESSION_CODE = -32_001;

/** Reads what the SDK threw. */
export function fateOf(error: unknown): Fate {
  if (error instanceof ProtocolError) {
    if (error.code === STREAM_ENDED) return "lost";
    return error.code === SESSION_CODE && NO_SESSION.test(error.message) ? "expired" : "answered";
  }
  if (error instanceof SdkHttpError) return fateOfHttp(error);
  if (error instanceof SdkError) {
    if (error.code === SdkErrorCode.RequestTimeout) return "timeout";
    return CONNECTION_LOST.has(error.code) ? "lost" : "nonsense";
  }
  if (error instanceof UnauthorizedError) return "refused";
  if (isLoginError(error)) return "refused";
  if (error instanceof OmniError) return error.code === "mcp.timeout" ? "timeout" : "lost";
  return NEVER_SENT.has(codeOf(error)) ? "refused" : "lost";
}

/** A request that there is no token for is never sent. */
const LOGIN_CODES: ReadonlySet<string> = new Set([
  "mcp.login-needed",
  "mcp.login-failed",
  "mcp.issuer-changed",
  "mcp.issuer-unreachable",
]);

/** Whether it is the words of who gives the tokens, which say what to do about it. */
export const isLoginError = (error: unknown): error is OmniError =>
  error instanceof OmniError && LOGIN_CODES.has(error.code);

function fateOfHttp(error: SdkHttpError): Fate {
  const { status, text } = error.data;
  if (status === 404) return "expired";
  // Older servers answer an unknown session so.
  if (status === 400 && typeof text === "string" && NO_SESSION.test(text)) return "expired";
  return status < 500 ? "refused" : "lost";
}

function codeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  for (const each of [error, cause]) {
    if (each instanceof Error && "code" in each && typeof each.code === "string") return each.code;
  }
  return "";
}

/** Whether the connection is of no further use. */
export const isConnectionGone = (error: unknown): boolean => {
  if (error instanceof SdkHttpError) return false;
  const fate = fateOf(error);
  return (
    fate === "lost" || (fate === "refused" && !(error instanceof UnauthorizedError) && !isLoginError(error))
  );
};

/** The reason in words: the innermost one, not yet cleaned of secrets. */
export function reasonOf(error: unknown): string {
  if (error instanceof UnauthorizedError) return "it wants authorization that this node does not have";
  if (error instanceof SdkHttpError) {
    const { status, statusText, text } = error.data;
    if (status === 401 || status === 403) return `it refuses access (HTTP ${status})`;
    const words = typeof text === "string" && text !== "" ? text : (statusText ?? "");
    return /redirect/i.test(error.message) ? error.message : `it answered HTTP ${status} ${words}`.trim();
  }
  if (error instanceof SdkError && error.cause !== undefined) return reasonOf(error.cause);
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof AggregateError && cause.errors.length > 0) return messageOf(cause.errors[0]);
  // It becomes part of a sentence.
  if (error instanceof OmniError) return error.message.replace(/\.$/, "");
  return cause instanceof Error ? messageOf(cause) : messageOf(error);
}

/** The error that the hub gets for a request of `what` (`tools/call search`) to the server `name`. */
export function requestError(
  name: string,
  what: string,
  error: unknown,
  clean: (text: string) => string,
  timeout: number,
): Error {
  const fate = fateOf(error);
  if (fate === "answered" && error instanceof Error) return error;
  if (isLoginError(error)) return error;
  if (error instanceof OmniError && error.message.startsWith(`MCP server ${name}`)) return error;
  if (fate === "timeout") {
    return new OmniError(
      "mcp.timeout",
      `MCP server ${name} did not answer ${what} within ${formatDuration(timeout)}.`,
    );
  }
  const reason = clean(reasonOf(error));
  if (fate === "nonsense") {
    return new OmniError(
      "mcp.unreachable",
      `MCP server ${name} answered ${what} with what is no valid answer: ${reason}`,
    );
  }
  const done =
    fate === "lost"
      ? " It is not known whether the request was carried out: look before you repeat it."
      : " The request was not carried out.";
  return new OmniError("mcp.unreachable", `MCP server ${name} failed at ${what}: ${reason}.${done}`);
}
